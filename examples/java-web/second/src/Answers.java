import java.time.DateTimeException;
import java.time.ZoneId;
import java.time.ZonedDateTime;

final class Answers {
    static final String VERSION = "2";
    private static final String ZONE = "zone=";

    private Answers() {}

    static String time(String query) {
        String zone = query != null && query.startsWith(ZONE) ? query.substring(ZONE.length()) : "UTC";
        try {
            return ZonedDateTime.now(ZoneId.of(zone)) + "\n";
        } catch (DateTimeException unknown) {
            return "there is no such zone\n";
        }
    }
}

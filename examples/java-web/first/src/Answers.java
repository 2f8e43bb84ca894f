import java.time.ZoneOffset;
import java.time.ZonedDateTime;

final class Answers {
    static final String VERSION = "1";

    private Answers() {}

    static String time(String query) {
        return ZonedDateTime.now(ZoneOffset.UTC) + "\n";
    }
}

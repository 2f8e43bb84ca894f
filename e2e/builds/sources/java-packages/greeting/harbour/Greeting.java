package harbour;

public final class Greeting {
    public static String greet(String name) {
        return "hello from " + name;
    }
}

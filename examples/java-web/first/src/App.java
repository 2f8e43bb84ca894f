import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** Answers requests until SIGTERM, then finishes those under way. */
public final class App {
    private static final int THREADS = 8;
    private static final int GRACE_SECONDS = 10;
    private static final AtomicInteger underWay = new AtomicInteger();

    public static void main(String[] arguments) throws IOException {
        String host = System.getenv().getOrDefault("HOST", "127.0.0.1");
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
        HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 0);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        server.setExecutor(threads);
        server.createContext("/", App::answer);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("SIGTERM: finishing the requests under way");
            server.stop(isIdle() ? 0 : GRACE_SECONDS);
            threads.shutdown();
            System.out.println("ended");
        }));
        server.start();
        System.out.println("java-web " + Answers.VERSION + " listens at http://" + host + ":" + server.getAddress().getPort());
    }

    private static boolean isIdle() {
        return underWay.get() == 0;
    }

    private static void answer(HttpExchange exchange) throws IOException {
        underWay.incrementAndGet();
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            switch (path) {
                case "/" -> send(exchange, 200, "text/plain", Answers.time(exchange.getRequestURI().getQuery()));
                case "/healthz" -> send(exchange, 200, "application/json", "{\"status\": \"ok\"}\n");
                case "/version" -> send(exchange, 200, "application/json", "{\"version\": \"" + Answers.VERSION + "\"}\n");
                default -> send(exchange, 404, "text/plain", "there is no such page\n");
            }
            if (!path.equals("/healthz")) System.out.println(exchange.getRequestMethod() + " " + path);
        } finally {
            underWay.decrementAndGet();
        }
    }

    private static void send(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("content-type", type);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One server of a herd, with a thread a connection.
 *
 * <p>usage: java Herd NAME HERD PLACES
 */
public final class Herd {
    private static final int READ_MAX = 64 * 1024;
    private static final int LINE_MAX = 8192;
    private static final int BACKLOG = 1024;
    private static final int RESULTS_MAX = 20;
    private static final long NANOS = 1_000_000_000L;
    private static final long DAY_NANOS = 86_400 * NANOS;
    private static final long REDIAL_MILLIS = 100;

    private static final Pattern IAMAT = Pattern.compile(
            "\\s*IAMAT\\s+(?<client>\\S{1,4096})\\s+"
                    + "(?<location>[+-](?:[0-8]?\\d(?:\\.\\d+)?|90(?:\\.0+)?)"
                    + "[+-](?:(?:0?\\d?\\d|1[0-7]\\d)(?:\\.\\d+)?|180(?:\\.0+)?))\\s+"
                    + "(?<time>0*\\d{1,12}(?:\\.\\d{1,9})?)\\s*");
    private static final Pattern WHATSAT = Pattern.compile(
            "\\s*WHATSAT\\s+(?<client>\\S{1,4096})\\s+(?<radius>\\d+(?:\\.\\d+)?)\\s+(?<limit>0*\\d{1,2})\\s*");

    /** A line of the herd's file. */
    private record Member(String name, int clientPort, int peerPort, List<String> neighbours) {}

    /** What is known of a client. Text is Latin-1, a character a byte, so that it goes out as it came. */
    private record Known(String client, long nanos, String at) {
        /** Of two equally new, all servers choose the same. */
        boolean isNewerThan(Known other) {
            return nanos > other.nanos || nanos == other.nanos && at.compareTo(other.at) > 0;
        }

        static Known newer(Known a, Known b) {
            return b.isNewerThan(a) ? b : a;
        }
    }

    private final Member me;
    private final List<String> places;
    private final List<Link> links = new ArrayList<>();
    private final Map<String, Known> records = new ConcurrentHashMap<>();

    private Herd(String name, Map<String, Member> herd, List<String> places) {
        this.me = herd.get(name);
        this.places = places;
        for (String neighbour : me.neighbours()) {
            links.add(new Link(neighbour, herd.get(neighbour).peerPort()));
        }
    }

    private void run() throws IOException, InterruptedException {
        listen(me.clientPort(), this::serveClient);
        listen(me.peerPort(), this::servePeer);
        for (Link link : links) {
            new Thread(link, "to " + link.name).start();
        }
        for (Link link : links) {
            link.connected.await();
        }
        System.out.println("linked");
    }

    /** What is done with a connection. */
    private interface Service {
        void serve(Socket socket) throws IOException;
    }

    private static void listen(int port, Service service) throws IOException {
        ServerSocket listener = new ServerSocket(port, BACKLOG, InetAddress.getLoopbackAddress());
        new Thread(() -> {
            while (true) {
                try {
                    Socket accepted = listener.accept();
                    new Thread(() -> {
                        try (Socket socket = accepted) {
                            socket.setTcpNoDelay(true);
                            service.serve(socket);
                        } catch (IOException e) {
                            // The other side is gone.
                        }
                    }).start();
                } catch (IOException e) {
                    System.err.println("can't accept: " + e);
                }
            }
        }, "port " + port).start();
    }

    private void serveClient(Socket socket) throws IOException {
        Lines lines = new Lines(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        Questions questions = new Questions();
        List<Known> news = new ArrayList<>();
        StringBuilder replies = new StringBuilder();
        while (lines.read()) {
            long now = now();
            for (String line = lines.next(); line != null; line = lines.next()) {
                questions.answer(line, now, replies, news);
            }
            if (lines.isTooLong()) {
                replies.append("? ").append(lines.rest(), 0, 64).append('\n');
            }
            flood(news, null);
            news.clear();
            out.write(replies.toString().getBytes(StandardCharsets.ISO_8859_1));
            replies.setLength(0);
            if (lines.isTooLong()) {
                return;
            }
        }
        if (!lines.rest().isEmpty()) {
            questions.answer(lines.rest(), now(), replies, news);
            flood(news, null);
            out.write(replies.toString().getBytes(StandardCharsets.ISO_8859_1));
        }
    }

    private void servePeer(Socket socket) throws IOException {
        Lines lines = new Lines(socket.getInputStream());
        List<Known> news = new ArrayList<>();
        String sender = null;
        while (lines.read()) {
            for (String line = lines.next(); line != null; line = lines.next()) {
                String[] fields = line.split(" ");
                if (fields.length != 7) {
                    System.err.println("not from a neighbour: " + line);
                    continue;
                }
                sender = fields[6];
                String at = line.substring(0, line.length() - sender.length() - 1);
                learn(new Known(fields[3], toNanos(fields[5]), at), news);
            }
            flood(news, sender);
            news.clear();
        }
    }

    /** Keeps what is newer than what is known, and adds it to what the neighbours are to be told. */
    private void learn(Known known, List<Known> news) {
        if (records.merge(known.client(), known, Known::newer) == known) {
            news.add(known);
        }
    }

    private void flood(List<Known> news, String sender) {
        if (news.isEmpty()) {
            return;
        }
        for (Link link : links) {
            if (!link.name.equals(sender)) {
                link.push(news);
            }
        }
    }

    /** Answers the lines of one connection. */
    private final class Questions {
        private final Matcher iamat = IAMAT.matcher("");
        private final Matcher whatsat = WHATSAT.matcher("");

        void answer(String line, long now, StringBuilder replies, List<Known> news) {
            boolean isAnswered = iamat.reset(line).matches() && iamat(now, replies, news)
                    || whatsat.reset(line).matches() && whatsat(replies);
            if (!isAnswered) {
                replies.append("? ").append(line, 0, line.length() - (line.endsWith("\r") ? 1 : 0)).append('\n');
            }
        }

        private boolean iamat(long now, StringBuilder replies, List<Known> news) {
            String client = iamat.group("client");
            String time = iamat.group("time");
            String seconds = time.indexOf('.') < 0 ? time : time.substring(0, time.indexOf('.'));
            if (Long.parseLong(seconds) > now / NANOS + DAY_NANOS / NANOS || !isUtf8(client)) {
                return false;
            }
            long nanos = toNanos(time);
            if (nanos > now + DAY_NANOS) {
                return false;
            }
            int start = replies.length();
            replies.append("AT ").append(me.name()).append(' ');
            appendSkew(replies, now - nanos);
            replies.append(' ').append(client).append(' ').append(iamat.group("location")).append(' ').append(time);
            learn(new Known(client, nanos, replies.substring(start)), news);
            replies.append('\n');
            return true;
        }

        private boolean whatsat(StringBuilder replies) {
            Known known = records.get(whatsat.group("client"));
            double radius = Double.parseDouble(whatsat.group("radius"));
            int limit = Integer.parseInt(whatsat.group("limit"));
            if (known == null || radius <= 0 || radius > 50 || limit > RESULTS_MAX) {
                return false;
            }
            replies.append(known.at()).append('\n').append(places.get(limit)).append("\n\n");
            return true;
        }
    }

    /** Cuts what is received into lines. */
    private static final class Lines {
        private final InputStream in;
        private final byte[] buffer = new byte[READ_MAX];
        private int start = 0;
        private int end = 0;

        Lines(InputStream in) {
            this.in = in;
        }

        /** Waits for more. False at the end. */
        boolean read() throws IOException {
            System.arraycopy(buffer, start, buffer, 0, end - start);
            end -= start;
            start = 0;
            int count = in.read(buffer, end, buffer.length - end);
            end += Math.max(count, 0);
            return count >= 0;
        }

        /** The next whole line without its LF, or null. */
        String next() {
            for (int at = start; at < end; at++) {
                if (buffer[at] == '\n') {
                    String line = new String(buffer, start, at - start, StandardCharsets.ISO_8859_1);
                    start = at + 1;
                    return line;
                }
            }
            return null;
        }

        /** What came behind the last LF. */
        String rest() {
            return new String(buffer, start, end - start, StandardCharsets.ISO_8859_1);
        }

        boolean isTooLong() {
            return end - start > LINE_MAX;
        }
    }

    /** A connection to a neighbour, who is told all that is known, and from then on what is new. */
    private final class Link implements Runnable {
        final String name;
        final CountDownLatch connected = new CountDownLatch(1);
        private final int port;
        /** Of each client only the newest, so that a slow neighbour costs little memory. */
        private Map<String, Known> pending = new HashMap<>();

        Link(String name, int port) {
            this.name = name;
            this.port = port;
        }

        synchronized void push(Iterable<Known> news) {
            for (Known known : news) {
                pending.merge(known.client(), known, Known::newer);
            }
            notify();
        }

        private synchronized Map<String, Known> take() throws InterruptedException {
            while (pending.isEmpty()) {
                wait();
            }
            Map<String, Known> taken = pending;
            pending = new HashMap<>();
            return taken;
        }

        /** Dials again and again. */
        @Override
        public void run() {
            try {
                while (true) {
                    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                        socket.setTcpNoDelay(true);
                        connected.countDown();
                        push(records.values());
                        talk(socket);
                    } catch (IOException e) {
                        // Not there, or gone.
                    }
                    Thread.sleep(REDIAL_MILLIS);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void talk(Socket socket) throws IOException, InterruptedException {
            Thread teller = new Thread(() -> tell(socket), "tells " + name);
            teller.start();
            try (socket) {
                // The neighbour says nothing on this connection: a read ends when it is gone.
                socket.getInputStream().read();
            } finally {
                teller.interrupt();
                teller.join();
            }
        }

        private void tell(Socket socket) {
            try {
                OutputStream out = socket.getOutputStream();
                while (true) {
                    StringBuilder lines = new StringBuilder();
                    for (Known known : take().values()) {
                        lines.append(known.at()).append(' ').append(me.name()).append('\n');
                    }
                    out.write(lines.toString().getBytes(StandardCharsets.ISO_8859_1));
                }
            } catch (IOException | InterruptedException e) {
                // The neighbour is gone, which the other thread notices as well.
            }
        }
    }

    private static long now() {
        Instant now = Instant.now();
        return now.getEpochSecond() * NANOS + now.getNano();
    }

    private static long toNanos(String time) {
        int point = time.indexOf('.');
        if (point < 0) {
            return Long.parseLong(time) * NANOS;
        }
        long fraction = Long.parseLong(time, point + 1, time.length(), 10);
        for (int digits = time.length() - point - 1; digits < 9; digits++) {
            fraction *= 10;
        }
        return Long.parseLong(time, 0, point, 10) * NANOS + fraction;
    }

    private static void appendSkew(StringBuilder text, long skew) {
        String nanos = Long.toString(Math.abs(skew) % NANOS);
        text.append(skew < 0 ? '-' : '+').append(Math.abs(skew) / NANOS).append('.');
        text.append("000000000", nanos.length(), 9).append(nanos);
    }

    private static boolean isUtf8(String latin1) {
        byte[] bytes = latin1.getBytes(StandardCharsets.ISO_8859_1);
        return Arrays.equals(new String(bytes, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8), bytes);
    }

    private static Map<String, Member> readHerd(Path path) throws IOException {
        Map<String, Member> herd = new HashMap<>();
        for (String line : Files.readAllLines(path)) {
            List<String> words = List.of(line.split(" "));
            int clientPort = Integer.parseInt(words.get(1));
            int peerPort = Integer.parseInt(words.get(2));
            herd.put(words.get(0), new Member(words.get(0), clientPort, peerPort, words.subList(3, words.size())));
        }
        return herd;
    }

    /** The JSON with no result, with the first, with the first two, and so on. Each result is a line of the file. */
    private static List<String> readPlaces(Path path) throws IOException {
        List<String> lines = Files.readAllLines(path, StandardCharsets.ISO_8859_1);
        List<String> results = lines.subList(1, lines.size() - 1);
        List<String> places = new ArrayList<>();
        for (int limit = 0; limit <= RESULTS_MAX; limit++) {
            String body = String.join("\n", results.subList(0, limit)).replaceFirst(",$", "");
            places.add(lines.get(0) + "\n" + body + (limit > 0 ? "\n" : "") + lines.get(lines.size() - 1));
        }
        return places;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        new Herd(arguments[0], readHerd(Path.of(arguments[1])), readPlaces(Path.of(arguments[2]))).run();
    }
}

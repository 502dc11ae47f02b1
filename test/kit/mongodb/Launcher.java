import de.bwaldvogel.mongo.MongoBackend;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;
import org.h2.mvstore.MVStore;

/**
 * A server that speaks MongoDB's protocol, for tests: `Launcher <port> <wire version> [file]`. It prints
 * its port, and ends with its standard input, so that it never outlives the test. In a file it keeps
 * what it answered also when it is killed.
 */
public class Launcher {
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    int wireVersion = Integer.parseInt(arguments[1]);
    MongoBackend backend = arguments.length > 2 ? inFile(arguments[2]) : inMemory();
    MongoServer server = new MongoServer(backend.version(version(wireVersion)));
    server.bind("127.0.0.1", port);
    System.out.println(server.getLocalAddress().getPort());
    System.out.flush();
    while (System.in.read() != -1) {
      // Nothing is said to it: only the end counts.
    }
    server.shutdownNow();
    System.exit(0);
  }

  private static MongoBackend inMemory() {
    return new MemoryBackend() {
      // The answer holds the very documents that the next command changes: it would tell of that one.
      @Override
      public synchronized Document handleMessage(MongoMessage message) {
        return super.handleMessage(message).cloneDeeply();
      }
    };
  }

  private static MongoBackend inFile(String file) {
    MVStore store = new MVStore.Builder().fileName(file).autoCommitDisabled().open();
    return new H2Backend(store) {
      // A document and its index entries are several maps, committed together.
      @Override
      public synchronized Document handleMessage(MongoMessage message) {
        Document answer = super.handleMessage(message).cloneDeeply();
        commit();
        return answer;
      }
    };
  }

  private static MongoVersion version(int wireVersion) {
    return new MongoVersion() {
      @Override
      public List<Integer> getVersionArray() {
        return List.of(7, 0, 0);
      }

      @Override
      public int getWireVersion() {
        return wireVersion;
      }
    };
  }
}

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.plugin.PluginUtils;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Runs the statements of a SQL file in a cluster inside this process, and waits for the last one. Prints "begin" before the last statement
 * and "end" after it, then waits until its input closes.
 */
public class FlinkJob {
  public static void main(String[] args) throws Exception {
    Configuration configuration = GlobalConfiguration.loadConfiguration(args[0]);
    FileSystem.initialize(configuration, PluginUtils.createPluginManagerFromRootFolder(configuration));
    TableEnvironment tables =
        TableEnvironment.create(
            EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(configuration).build());
    tables.getConfig().setLocalTimeZone(ZoneOffset.UTC);
    String[] statements = Files.readString(Path.of(args[1])).split(";\\s*\n");
    for (int n = 0; n < statements.length - 1; n++) tables.executeSql(statements[n]);
    System.out.println("begin");
    tables.executeSql(statements[statements.length - 1]).await();
    System.out.println("end");
    while (System.in.read() >= 0) {}
    System.exit(0);
  }
}

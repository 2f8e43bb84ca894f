package harbour;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import javax.tools.ToolProvider;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.project.MavenProject;

/** Compiles src/main/java and packs it with its dependencies into one jar that runs. */
public final class Packer extends AbstractMojo {
    private MavenProject project;

    @Override
    public void execute() throws MojoExecutionException {
        try {
            Path base = project.getBasedir().toPath();
            Path classes = Files.createDirectories(base.resolve("target/classes"));
            List<File> jars = new ArrayList<>();
            for (Artifact artifact : (Set<Artifact>) project.getArtifacts()) jars.add(artifact.getFile());
            compile(base.resolve("src/main/java"), classes, jars);
            pack(base.resolve("target/app.jar"), classes, jars);
        } catch (Exception cause) {
            throw new MojoExecutionException("packing failed", cause);
        }
    }

    private static void compile(Path sources, Path classes, List<File> jars) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("-d", classes.toString()));
        if (!jars.isEmpty()) arguments.addAll(List.of("-cp", jars.get(0).toString()));
        try (var files = Files.walk(sources)) {
            files.filter(file -> file.toString().endsWith(".java")).forEach(file -> arguments.add(file.toString()));
        }
        int code = ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(String[]::new));
        if (code != 0) throw new IllegalStateException("javac ended with " + code);
    }

    private static void pack(Path target, Path classes, List<File> jars) throws Exception {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "App");
        try (var output = new JarOutputStream(Files.newOutputStream(target), manifest)) {
            try (var files = Files.walk(classes)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    output.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                    Files.copy(file, output);
                }
            }
            for (File jar : jars) {
                try (var input = new JarFile(jar)) {
                    for (JarEntry entry : input.stream().filter(one -> one.getName().endsWith(".class")).toList()) {
                        output.putNextEntry(new JarEntry(entry.getName()));
                        input.getInputStream(entry).transferTo(output);
                    }
                }
            }
        }
    }
}

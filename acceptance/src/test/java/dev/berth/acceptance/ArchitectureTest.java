package dev.berth.acceptance;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.domain.JavaPackage;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** Holds the modules to what docs/ARCHITECTURE.md says of them. */
class ArchitectureTest {
    private static final String ROOT = "dev.berth.";

    /**
     * Each module's package and what it may stand on besides; what those stand on is allowed too.
     */
    private static final Map<String, Set<String>> STANDS_ON =
            Map.ofEntries(
                    Map.entry("model", Set.of()),
                    Map.entry("planner", Set.of("model")),
                    Map.entry("wire", Set.of("model")),
                    Map.entry("store", Set.of("model")),
                    Map.entry("bus", Set.of("wire")),
                    Map.entry("engine", Set.of("model")),
                    Map.entry("cpi", Set.of("wire")),
                    Map.entry("cpi.docker", Set.of("cpi", "engine")),
                    Map.entry("supervisor", Set.of("model", "engine")),
                    Map.entry("agent", Set.of("wire", "supervisor")),
                    Map.entry("monitor", Set.of("wire")),
                    Map.entry("alerts", Set.of("model")),
                    Map.entry("backup", Set.of("model")),
                    Map.entry(
                            "director",
                            Set.of(
                                    "planner",
                                    "store",
                                    "bus",
                                    "cpi.docker",
                                    "monitor",
                                    "alerts",
                                    "backup")),
                    Map.entry("cli", Set.of("model")),
                    Map.entry("stemcell", Set.of("model")));

    /** What the pure cores are made of: they decide from plain data and the time they are told. */
    private static final DescribedPredicate<JavaClass> PURE =
            resideInAnyPackage("dev.berth.planner")
                    .or(
                            resideInAPackage("dev.berth.wire")
                                    .and(outermostNamedNot("StreamEnd"))) // waits for its other end
                    .or(
                            resideInAPackage("dev.berth.model")
                                    .and(
                                            outermostNamedNot(
                                                    "AlertTargets", // parses URIs, asks no network
                                                    "AlertsConfig", // holds them
                                                    "Clock", // the port and its real adapter
                                                    "EnvironmentFile", // reads one file
                                                    "IpAddress"))) // parses with the JDK, asks no
                    // network
                    .or(
                            resideInAPackage("dev.berth.monitor")
                                    .and(outermostNamedNot("Monitor"))) // holds the threads
                    .or(
                            resideInAPackage("dev.berth.alerts")
                                    .and(
                                            outermostNamedNot(
                                                    "Courier", // holds a thread
                                                    "EmailSink", // these speak to the outside
                                                    "HttpPost",
                                                    "OpsgenieSink",
                                                    "PagerDutySink",
                                                    "PluginProcess",
                                                    "PluginSink",
                                                    "StdoutSink",
                                                    "SyslogSink",
                                                    "Trust",
                                                    "WebhookSink")))
                    .or(
                            resideInAPackage("dev.berth.supervisor")
                                    .and(
                                            outermostNamedNot(
                                                    "Supervisor", // holds the threads
                                                    "Changes", // wakes them
                                                    "DaemonDisk", // writes its files
                                                    "DaemonKeeper", // starts and stops it
                                                    "DaemonWatch", // holds the daemon's thread
                                                    "DockerdProcess",
                                                    "EngineExecutor",
                                                    "EngineLook",
                                                    "FileMemory",
                                                    "Hooks", // runs them and their time
                                                    "HostDirectories",
                                                    "ImageKeeper", // looks at the disk
                                                    "Images",
                                                    "VmFiles")))
                    .as("a pure core");

    private static final JavaClasses SHIPPED =
            new ClassFileImporter()
                    .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                    .withImportOption(location -> !location.contains("/testkit/"))
                    .withImportOption(location -> !location.contains("/simulation/"))
                    .withImportOption(location -> !location.contains("/acceptance/"))
                    .importPackages("dev.berth");

    private static DescribedPredicate<JavaClass> outermostNamedNot(String... names) {
        Set<String> all = Set.of(names);
        return DescribedPredicate.describe(
                "not of " + all,
                type -> {
                    String name = type.getName().substring(type.getPackageName().length() + 1);
                    int dollar = name.indexOf('$');
                    return !all.contains(dollar < 0 ? name : name.substring(0, dollar));
                });
    }

    @Test
    void eachModuleStandsOnlyOnWhatTheArchitectureAllows() {
        STANDS_ON.forEach((module, stands) -> {
            var allowed = new TreeSet<String>();
            collect(module, allowed);
            List<String> forbidden =
                    STANDS_ON.keySet().stream()
                            .filter(other -> !allowed.contains(other))
                            .map(other -> ROOT + other)
                            .toList();
            assertThat(SHIPPED.containPackage(ROOT + module))
                    .as("classes of " + module + " on the class path")
                    .isTrue();
            noClasses()
                    .that()
                    .resideInAPackage(ROOT + module)
                    .should()
                    .dependOnClassesThat()
                    .resideInAnyPackage(forbidden.toArray(String[]::new))
                    .because("docs/ARCHITECTURE.md says what " + module + " stands on")
                    .allowEmptyShould(true)
                    .check(SHIPPED);
        });
    }

    private static void collect(String module, Set<String> into) {
        if (into.add(module)) {
            STANDS_ON.getOrDefault(module, Set.of()).forEach(other -> collect(other, into));
        }
    }

    @Test
    void everyPackageIsAModuleOfTheArchitecture() {
        Set<String> packages =
                SHIPPED.stream()
                        .map(type -> type.getPackageName().substring(ROOT.length()))
                        .collect(Collectors.toCollection(TreeSet::new));
        assertThat(packages).isEqualTo(new TreeSet<>(STANDS_ON.keySet()));
    }

    @Test
    void theDocumentNamesTheSameModules() throws IOException {
        String text =
                Files.readString(
                        Path.of("").toAbsolutePath().resolveSibling("docs/ARCHITECTURE.md"));
        var missing = new ArrayList<String>();
        STANDS_ON.forEach((module, stands) -> {
            if (!text.contains("| `" + module.replace('.', '-') + "` |")) {
                missing.add(module);
            }
        });
        assertThat(missing).as("modules the document does not name").isEmpty();
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("dev.berth.(**)").should().beFreeOfCycles().check(SHIPPED);
    }

    @Test
    void everyPackageIsNullMarked() {
        List<String> unmarked =
                SHIPPED.stream()
                        .map(JavaClass::getPackage)
                        .distinct()
                        .filter(unit -> !unit.isAnnotatedWith(NullMarked.class))
                        .map(JavaPackage::getName)
                        .toList();
        assertThat(unmarked).as("packages without a null-marked package-info").isEmpty();
    }

    @Test
    void pureCoresAskNoClock() {
        noClasses()
                .that(PURE)
                .should()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.time.Clock.class)
                .because("they are told the time, so that tests can choose it")
                .check(SHIPPED);
    }

    @Test
    void pureCoresDoNothing() {
        noClasses()
                .that(PURE)
                .should()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.nio.file.Files")
                .orShould()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "java.net..", "java.sql..", "java.nio.channels..", "java.util.logging..")
                .orShould()
                .dependOnClassesThat()
                .haveFullyQualifiedName("java.lang.ProcessBuilder")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(Thread.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.util.Random.class)
                .because("they decide; what acts sits around them behind ports")
                .check(SHIPPED);
    }

    @Test
    void nobodyUsesTheOldDates() {
        noClasses()
                .that()
                .resideOutsideOfPackage("dev.berth.bus") // X.509's builder takes nothing else
                .should()
                .dependOnClassesThat()
                .areAssignableTo(Date.class)
                .check(SHIPPED);
    }

    @Test
    void theTimeIsAskedOfThePortAlone() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        "dev.berth.director", "dev.berth.store", "dev.berth.bus", "dev.berth.cpi..")
                .should()
                .callMethod(Instant.class, "now")
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .because("a simulation runs the whole director on a clock of its own")
                .check(SHIPPED);
    }

    @Test
    void nothingHoldsStateInStatics() {
        List<String> mutable =
                SHIPPED.stream()
                        .flatMap(type -> type.getFields().stream())
                        .filter(field -> field.getModifiers().contains(JavaModifier.STATIC))
                        .filter(field -> !field.getModifiers().contains(JavaModifier.FINAL))
                        .map(field -> field.getFullName())
                        .toList();
        assertThat(mutable).as("static fields that can change").isEmpty();
    }
}

package dev.berth.acceptance;

import static dev.berth.acceptance.OneVm.container;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;

/**
 * Ten containers: {@code web} stands on {@code app}, that on {@code db}, which has data, and on
 * {@code migrate}, which runs once; {@code serve}, a web server, and {@code n1} to {@code n5} stand
 * alone.
 */
final class Ten {
    static final Set<String> ALL =
            Set.of("db", "migrate", "app", "web", "serve", "n1", "n2", "n3", "n4", "n5");

    static final String CONTAINERS =
            container("db", "echo started >> /data/starts; sync; ", "volumes: ['data:/data']")
                    + """
                      - name: migrate
                        image: registry.berth/shop-web:1
                        entrypoint: [sh, -c, "echo migrated >> /data/migrations; sync"]
                        restart: on-failure
                        volumes: ['data:/data']
                        depends_on: [db]
                    """
                    + container(
                            "app",
                            "",
                            "depends_on:",
                            "  db: {condition: service_started}",
                            "  migrate: {condition: service_completed_successfully}")
                    + container("web", "", "depends_on: [app]")
                    + """
                      - name: serve
                        image: registry.berth/shop-web:1
                        ports: ["80:8080"]
                    """
                    + container("n1", "")
                    + container("n2", "")
                    + container("n3", "")
                    + container("n4", "")
                    + container("n5", "");

    private Ten() {}

    /** The same with another environment in one container. */
    static String round(int number, String container, String manifest) {
        return manifest.replaceFirst(
                "ROUND: \"\\d+ of " + container + "\"",
                "ROUND: \"" + number + " of " + container + "\"");
    }

    static String changed(String manifest, String from, String to) {
        assertThat(manifest).contains(from);
        return manifest.replace(from, to);
    }
}

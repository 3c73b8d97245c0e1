package dev.berth.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code registries} of a manifest or a cloud config. */
final class RegistryLogins {
    private static final Pattern HOST =
            Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9.-]{0,251}[a-zA-Z0-9])?(:[0-9]{1,5})?");
    private static final int MOST = 100;
    private static final int LONGEST = 4 * 1024;
    private static final int LONGEST_CA = 256 * 1024;

    private RegistryLogins() {}

    /** Those of a cloud config, which every user may read: passwords must be variables there. */
    static List<RegistryLogin> ofAll(Section root) {
        for (Section section : root.sections("registries")) {
            boolean open =
                    section.has("password")
                            && section.at("password").isScalar()
                            && !Placeholder.isWhole(section.at("password").text());
            if (open) {
                section.at("password")
                        .error(
                                "a cloud config is no place for a password: all users may read it",
                                "berth set-variable /NAME, and write ((/NAME)) here");
            }
        }
        return read(root);
    }

    static List<RegistryLogin> read(Section root) {
        List<Section> sections = root.sections("registries");
        if (sections.size() > MOST) {
            root.at("registries").error("more than " + MOST + " registries", null);
            return List.of();
        }
        var logins = new ArrayList<RegistryLogin>();
        var hosts = new HashSet<String>();
        for (Section section : sections) {
            section.checkKeys(
                    Set.of("host", "username", "password", "ca", "insecure"),
                    Map.of("email", "registries do not ask for it"));
            RegistryLogin login = login(section);
            if (!login.host().isEmpty() && !hosts.add(login.host())) {
                section.at("host").error("'" + login.host() + "' is there twice", null);
            }
            logins.add(login);
        }
        return List.copyOf(logins);
    }

    private static RegistryLogin login(Section section) {
        String host = host(section);
        Secret username = secret(section, "username", LONGEST);
        Secret password = secret(section, "password", LONGEST);
        if (username == null ^ password == null) {
            section.spot()
                    .error(
                            "'username' and 'password' go together",
                            "give both, or neither for a registry that asks for none");
        }
        Secret ca = secret(section, "ca", LONGEST_CA);
        boolean insecure = section.flag("insecure", false);
        if (insecure && ca != null) {
            section.at("ca")
                    .error("'ca' has no meaning for an insecure registry", "remove one of them");
        }
        return new RegistryLogin(host, username, password, ca, insecure);
    }

    private static String host(Section section) {
        String written = section.string("host");
        if (written.isEmpty()) {
            return "";
        }
        Spot spot = section.at("host");
        if (!HOST.matcher(written).matches()) {
            spot.error(
                    "'" + written + "' is no host of a registry",
                    "without https:// and without a path, such as registry.example.com or"
                            + " registry.example.com:5000");
            return "";
        }
        String host = ImageName.host(written);
        if (host.equals(EnvironmentFile.REGISTRY_NAME)) {
            spot.error("the environment's own registry needs no entry", "remove it");
        } else if (!host.matches(".*[.:].*") && !host.equals("localhost")) {
            spot.error(
                    "no image is of the registry '"
                            + written
                            + "': without a dot or a port it is a name on Docker Hub",
                    "give the host's full name, or its port; Docker Hub is docker.io");
        }
        return host;
    }

    private static @Nullable Secret secret(Section section, String key, int longest) {
        if (!section.has(key)) {
            return null;
        }
        Spot spot = section.at(key);
        if (!spot.isScalar()) {
            spot.wrongType("String");
            return null;
        }
        if (spot.text().length() > longest) {
            spot.error("'" + key + "' is longer than " + longest + " characters", null);
            return null;
        }
        return new Secret(spot.text());
    }
}

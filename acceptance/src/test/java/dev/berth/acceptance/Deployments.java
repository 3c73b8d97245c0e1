package dev.berth.acceptance;

/** Removes what a test class deployed, whatever state it left it in. */
final class Deployments {
    private Deployments() {}

    /** Deletes the deployment, if it is there, and the disks it leaves. */
    static void delete(DirectorClient director, String name) {
        int status = director.get("/deployments/" + name).statusCode();
        if (status != 404) {
            director.await(director.begin("DELETE", "/deployments/" + name + "?force=true", ""))
                    .done();
        }
        director.list("/disks").stream()
                .filter(disk -> disk.string("deployment_name").equals(name))
                .forEach(disk ->
                        director.await(
                                        director.begin(
                                                "DELETE", "/disks/" + disk.string("disk_cid"), ""))
                                .done());
    }
}

package dev.berth.director;

/** Who may call an endpoint. */
enum Access {
    /** Anyone; the endpoint looks at credentials or signatures itself. */
    ANYONE,
    /** Any user, also those who may only look. */
    READ,
    /** Administrators. */
    ADMIN
}

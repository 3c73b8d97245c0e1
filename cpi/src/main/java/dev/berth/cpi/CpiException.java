package dev.berth.cpi;

import org.jspecify.annotations.Nullable;

/** A typed error of the CPI contract. */
public final class CpiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The error types of the contract, with their wire names. */
    public enum Type {
        CPI_ERROR("Bosh::Clouds::CpiError"),
        NOT_IMPLEMENTED("Bosh::Clouds::NotImplemented"),
        NOT_SUPPORTED("Bosh::Clouds::NotSupported"),
        CLOUD_ERROR("Bosh::Clouds::CloudError"),
        VM_NOT_FOUND("Bosh::Clouds::VMNotFound"),
        NETWORK_NOT_FOUND("Bosh::Clouds::NetworkNotFound"),
        NO_DISK_SPACE("Bosh::Clouds::NoDiskSpace"),
        DISK_NOT_ATTACHED("Bosh::Clouds::DiskNotAttached"),
        DISK_NOT_FOUND("Bosh::Clouds::DiskNotFound"),
        VM_CREATION_FAILED("Bosh::Clouds::VMCreationFailed"),
        /** The answer broke the contract, or none came: the call may or may not have happened. */
        UNKNOWN("Unknown");

        private final String wireName;

        Type(String wireName) {
            this.wireName = wireName;
        }

        public String wireName() {
            return wireName;
        }

        public static Type of(String wireName) {
            for (Type type : values()) {
                if (type.wireName.equals(wireName)) {
                    return type;
                }
            }
            return UNKNOWN;
        }
    }

    private final Type type;
    private final boolean okToRetry;

    public CpiException(Type type, String message, boolean okToRetry, @Nullable Throwable cause) {
        super(message, cause);
        this.type = type;
        this.okToRetry = okToRetry;
    }

    public CpiException(Type type, String message) {
        this(type, message, false, null);
    }

    public Type type() {
        return type;
    }

    /** Looked at for {@link Type#VM_CREATION_FAILED} only. */
    public boolean okToRetry() {
        return okToRetry;
    }
}

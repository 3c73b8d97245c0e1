package dev.berth.acceptance;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives tests the environment that all classes of a run share, with the example's images in its
 * registry. It is made for the first that asks and purged after the last test; a class cleans up
 * its own deployments.
 */
final class SharedEnvironment implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext extension) {
        return parameter.getParameter().getType() == TestEnvironment.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext extension) {
        return extension
                .getRoot()
                .getStore(Namespace.create(SharedEnvironment.class))
                .computeIfAbsent(
                        TestEnvironment.class,
                        type -> new TestEnvironment().up().withImages(),
                        TestEnvironment.class);
    }
}

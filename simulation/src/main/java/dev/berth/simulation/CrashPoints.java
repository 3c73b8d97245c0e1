package dev.berth.simulation;

final class CrashPoints {
    static int main() {
        return 0;
    }
}

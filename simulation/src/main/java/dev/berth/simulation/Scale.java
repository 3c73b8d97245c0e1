package dev.berth.simulation;

final class Scale {
    static int main() {
        return 0;
    }
}

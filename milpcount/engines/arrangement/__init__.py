"""Engine ``arrangement``: single layers by deletion and restriction of hyperplanes."""

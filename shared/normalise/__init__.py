"""A Defender record -> an ECS document: decode, map, identify. Pure: no clock, no network, no settings."""

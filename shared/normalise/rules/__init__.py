"""Pure rules: values of Defender's columns -> values of ECS fields.

Every rule takes already converted column values (None = absent), returns one value or None, or a tuple with None for
each part that is absent. A rule never raises, does no I/O and keeps no state.
"""

from tests.hooks.world import world

__all__ = ["world"]

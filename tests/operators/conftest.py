from tests.hooks.keeping import keeping
from tests.hooks.world import world

__all__ = ["keeping", "world"]

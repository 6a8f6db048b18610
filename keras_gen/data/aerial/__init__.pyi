from .palette import (
    BUILDING as BUILDING,
)
from .palette import (
    CLASSES as CLASSES,
)
from .palette import (
    COLOURS as COLOURS,
)
from .palette import (
    FIELD as FIELD,
)
from .palette import (
    FOREST as FOREST,
)
from .palette import (
    MEADOW as MEADOW,
)
from .palette import (
    ROAD as ROAD,
)
from .palette import (
    SHORE as SHORE,
)
from .palette import (
    WATER as WATER,
)
from .readback import (
    class_agreement as class_agreement,
)
from .readback import (
    edge_agreement as edge_agreement,
)
from .readback import (
    read_classes as read_classes,
)
from .rendering import (
    colour as colour,
)
from .rendering import (
    one_hot as one_hot,
)
from .rendering import (
    scene as scene,
)

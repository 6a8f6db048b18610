from .palette import (
    BUILDING as BUILDING,
    CLASSES as CLASSES,
    COLOURS as COLOURS,
    FIELD as FIELD,
    FOREST as FOREST,
    MEADOW as MEADOW,
    ROAD as ROAD,
    SHORE as SHORE,
    WATER as WATER,
)
from .readback import (
    class_agreement as class_agreement,
    edge_agreement as edge_agreement,
    read_classes as read_classes,
)
from .rendering import colour as colour, one_hot as one_hot, scene as scene

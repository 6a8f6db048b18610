"""The steps of a model's graph."""

import keras
import pytest
from keras import layers, ops

from keras_gen.analysis.graph import Slot, trace


def names(model):
    return [step.name for step in trace(model).steps]


@pytest.fixture
def nested():
    inner_input = keras.Input((8, 8, 2))
    inner = keras.Model(inner_input, layers.Conv2D(2, 1, name="c")(inner_input), name="inner")
    outer = keras.Sequential([keras.Input((8, 8, 2)), inner, layers.ReLU(name="r")], name="outer")
    x = inputs = keras.Input((8, 8, 2), name="image")
    return keras.Model(inputs, layers.Add(name="sum")([outer(x), inner(x)]))


def test_nested_models_are_opened(nested):
    graph = trace(nested)
    assert [step.name for step in graph.steps] == ["outer/inner/c", "outer/r", "inner/c", "sum"]
    assert graph.steps[0].operation is graph.steps[2].operation
    assert graph.steps[3].inputs == graph.steps[1].outputs + graph.steps[2].outputs
    assert graph.find("outer") == graph.find("outer/r")
    assert graph.find("outer/inner") == graph.find("outer/inner/c")
    assert graph.name_of(graph.find("image")) == "image"


def test_steps_come_in_an_order_in_which_they_can_be_computed():
    x = inputs = keras.Input((8, 8, 3))
    branches = [layers.Conv2D(2, k, padding="same")(x) for k in (1, 2, 3)]
    x = layers.Concatenate()([branches[2], ops.add(branches[1], branches[0])])
    graph = trace(keras.Model(inputs, [x, branches[0]]))
    known = set(graph.inputs)
    for step in graph.steps:
        assert known.issuperset(step.inputs)
        known.update(step.outputs)
    assert known.issuperset(graph.outputs)
    assert len(known) == len(graph.shapes) == len(graph.dtypes)


def test_arguments_keep_their_places():
    x = inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, ops.where(x > 0.5, 2.0 * x, x[:, ::-1]))
    where = trace(model).steps[-1]
    (condition, first, second), _ = where.args, where.kwargs
    assert all(isinstance(part, Slot) for part in (condition, first, second))
    args, kwargs = where.fill_in({number: f"tensor {number}" for number in where.inputs})
    assert args == tuple(f"tensor {number}" for number in where.inputs)
    assert kwargs == {}


def test_operations_with_several_outputs():
    x = inputs = keras.Input((4, 6))
    first, second = ops.split(x, 2, axis=-1)
    graph = trace(keras.Model(inputs, second + first))
    split, add = graph.steps
    assert len(split.outputs) == 2
    assert set(add.inputs) == set(split.outputs)


def test_what_a_tensor_needs():
    x = inputs = keras.Input((4, 4, 1))
    one = layers.Conv2D(1, 1, name="one")(x)
    two = layers.Conv2D(1, 1, name="two")(one)
    graph = trace(keras.Model(inputs, [two, layers.Conv2D(1, 1, name="other")(x)]))
    number = graph.find("two")
    assert graph.before(number) == {graph.inputs[0], graph.find("one"), number}
    assert graph.before(number, stop=graph.find("one")) == {graph.find("one"), number}


def test_a_model_between_two_layers_of_another():
    whole = keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), include_top=False)
    first = whole.get_layer("block1_pool").output
    last = whole.get_layer("block2_conv2").output
    assert names(keras.Model(first, last)) == ["block2_conv1", "block2_conv2"]


def test_dictionaries_of_inputs():
    inner_inputs = {"b": keras.Input((4,), name="b"), "a": keras.Input((4,), name="a")}
    difference = layers.Subtract(name="difference")([inner_inputs["a"], inner_inputs["b"]])
    inner = keras.Model(inner_inputs, difference, name="inner")
    one, other = keras.Input((4,), name="one"), keras.Input((4,), name="other")
    graph = trace(keras.Model([one, other], inner({"b": one, "a": other})))
    assert graph.steps[0].inputs == (graph.find("other"), graph.find("one"))


def test_models_without_a_graph_are_refused():
    with pytest.raises(ValueError, match="has no graph to follow"):
        trace(keras.Sequential([layers.Dense(1)]))

import json

import jax
import keras
import numpy as np
import pytest
from keras import layers

import striate as st
from striate.errors import StriateError
from striate.models.anatomy import anatomy


def by_name(model):
    return {layer.name: layer for layer in anatomy(model).layers}


def network(shape, *stack):
    return keras.Sequential([keras.Input(shape), *stack])


def pixels_seen(model, neuron):
    """Return how many rows and columns of the image change this output, found by trying.

    All weights are 1 and all pixels 0, so that nothing cancels and any lit pixel wins its maximum.
    """
    for variable in model.trainable_variables:
        variable.assign(np.full(variable.shape, "bias" not in variable.path, np.float32))
    _, rows, columns, channels = model.input_shape
    lit = np.eye(rows * columns, dtype=np.float32).reshape(-1, rows, columns, 1)
    blank = np.zeros((1, rows, columns, channels), np.float32)
    outputs = np.asarray(model(np.repeat(lit, channels, axis=-1))) - np.asarray(model(blank))
    changes = outputs[(slice(None), *neuron)].reshape(rows, columns) != 0
    return int(changes.any(axis=1).sum()), int(changes.any(axis=0).sum())


def test_dense_network_of_the_lecture_has_23860_parameters():
    result = anatomy(network((784,), layers.Dense(30), layers.Dense(10)))
    assert [layer.parameters for layer in result.layers] == [784 * 30 + 30, 30 * 10 + 10]
    assert result.parameters == 23_860
    assert result.flops == 2 * (784 * 30 + 30 * 10)
    assert result.layers[0].receptive_field is None


def test_heidelberg_by_hand(lecture_network):
    result = anatomy(lecture_network("heidelberg"))
    conv, pool, flatten, hidden, output = result.layers
    assert conv.output_shape == (26, 26, 32)
    assert conv.flops == 2 * 26 * 26 * 32 * 9
    assert (conv.receptive_field, conv.stride) == ((3, 3), (1, 1))
    assert pool.flops == 13 * 13 * 32 * 4
    assert (pool.receptive_field, pool.stride) == ((4, 4), (2, 2))
    assert flatten.output_shape == (5408,)
    assert (flatten.receptive_field, flatten.stride) == ((4, 4), None)
    assert hidden.flops == 2 * 5408 * 32
    assert hidden.receptive_field == output.receptive_field == (28, 28)
    assert result.parameters == 173_738
    assert result.flops == 389_376 + 21_632 + 346_112 + 640
    assert result.uncounted == ()


def test_isgc_by_hand(lecture_network):
    layer = by_name(lecture_network("isgc"))
    assert layer["conv_2"].output_shape == (24, 24, 32)
    assert layer["conv_2"].parameters == 3 * 3 * 64 * 32 + 32
    assert layer["conv_2"].flops == 2 * 24 * 24 * 32 * 9 * 64
    assert (layer["conv_2"].receptive_field, layer["conv_2"].stride) == ((5, 5), (1, 1))


def test_oslo_cifar10_by_hand_and_what_it_does_not_see(lecture_network):
    layer = by_name(lecture_network("oslo_cifar10"))
    assert layer["conv_3"].output_shape == (4, 4, 64)
    assert layer["flatten"].output_shape == (1024,)
    assert [layer[name].receptive_field for name in ("pool_1", "conv_2", "pool_2", "conv_3")] == [
        (4, 4),
        (8, 8),
        (10, 10),
        (18, 18),
    ]
    assert layer["conv_3"].stride == (4, 4)
    # Pooling 13 by 2 drops the last row and column, so the network sees 30 of 32 pixels.
    assert layer["hidden"].receptive_field == (30, 30)


@pytest.mark.parametrize("name", ["oslo_digits", "oslo_cifar10", "jet_cnn"])
def test_whole_network_sees_what_lit_pixels_change(name):
    model = st.models.build(name)
    hidden = keras.Model(model.inputs[0], model.get_layer("hidden").output)
    assert pixels_seen(hidden, (0,)) == by_name(model)["hidden"].receptive_field


@pytest.mark.parametrize(
    "stack",
    [
        [layers.Conv2D(2, (3, 5), strides=(2, 1), padding="same")],
        [layers.Conv2D(2, 3, dilation_rate=2), layers.AveragePooling2D(2)],
        [layers.Conv2D(2, 3), layers.MaxPooling2D(3, 2), layers.Conv2D(1, 2)],
        [layers.DepthwiseConv2D(3, padding="same"), layers.SeparableConv2D(2, 3)],
        [layers.MaxPooling2D(2), layers.UpSampling2D(2), layers.Conv2D(1, 3, padding="same")],
        [layers.MaxPooling2D(2), layers.Conv2DTranspose(1, 3, strides=2, padding="same")],
        [layers.Conv2DTranspose(2, 2, strides=2), layers.Conv2D(1, 2)],
        [layers.ZeroPadding2D(2), layers.Conv2D(1, 5), layers.Cropping2D(3)],
        [
            layers.Conv2D(1, 3, padding="same"),
            layers.BatchNormalization(),
            layers.Activation("relu"),
        ],
        [layers.Conv2D(4, 3), layers.Dense(3), layers.Conv2D(1, 3)],
        [layers.Conv2D(1, 3), layers.GlobalAveragePooling2D()],
        [layers.Conv2D(1, 4, strides=3), layers.Flatten(), layers.Dense(2)],
    ],
)
def test_receptive_field_is_what_lit_pixels_change(stack):
    model = network((17, 16, 2), *stack)
    last = anatomy(model).layers[-1]
    shape = model.output_shape[1:]
    middle = tuple(side // 2 for side in shape)
    # Neurons at different places may see one pixel more or less after a fractional stride.
    nearby = [middle, *(tuple(m + d for m in middle[:2]) + middle[2:] for d in (-1, 1))]
    seen = [pixels_seen(model, neuron) for neuron in (nearby if len(shape) == 3 else [middle])]
    assert tuple(map(max, zip(*seen, strict=True))) == last.receptive_field


def test_stride_is_the_step_from_neuron_to_neuron():
    layer = anatomy(network((16, 16, 1), layers.MaxPooling2D(4), layers.UpSampling2D(2))).layers
    assert [la.stride for la in layer] == [(4, 4), (2, 2)]
    upsampled = anatomy(network((4, 4, 1), layers.UpSampling2D(2))).layers[0]
    assert upsampled.stride == (0.5, 0.5)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Conv2D(8, 3, use_bias=False),
        layers.Conv2D(8, (2, 3), strides=2, use_bias=False),
        layers.Conv2D(8, 3, groups=2, use_bias=False),
        layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False),
        layers.Dense(7, use_bias=False),
    ],
)
def test_flops_agree_with_what_xla_counts(layer):
    model = network((12, 11, 4), layer)
    image = np.zeros((1, 12, 11, 4), np.float32)
    weights = model.trainable_variables

    def forward(values, x):
        return model.stateless_call(values, [], x)[0]

    compiled = jax.jit(forward).lower([w.value for w in weights], image).compile()
    assert anatomy(model).flops == compiled.cost_analysis()["flops"]


def test_flops_of_other_layers_by_hand():
    model = network(
        (8, 8, 4),
        layers.SeparableConv2D(6, 3, depth_multiplier=2, name="separable"),
        layers.Conv2DTranspose(3, 2, strides=2, name="transposed"),
        layers.BatchNormalization(name="norm"),
        layers.AveragePooling2D(3, name="average"),
        layers.GlobalMaxPooling2D(name="global"),
        layers.Dropout(0.5, name="dropout"),
    )
    layer = by_name(model)
    assert layer["separable"].flops == 2 * 36 * (9 * 8 + 8 * 6)
    assert layer["transposed"].flops == 2 * 36 * 4 * 6 * 3
    assert layer["norm"].flops == 2 * 12 * 12 * 3
    assert layer["norm"].parameters == 4 * 3
    assert layer["average"].flops == 9 * 4 * 4 * 3
    assert layer["global"].flops == 4 * 4 * 3
    assert layer["dropout"].flops == 0


def test_one_dimension():
    model = network(
        (100, 3),
        layers.Conv1D(4, 5, padding="causal", dilation_rate=3),
        layers.MaxPooling1D(2),
        layers.DepthwiseConv1D(3),
        layers.GlobalAveragePooling1D(),
    )
    causal, pool, depthwise, whole = anatomy(model).layers
    assert causal.flops == 2 * 5 * 3 * 100 * 4
    assert (causal.receptive_field, causal.stride) == ((13,), (1,))
    assert (pool.receptive_field, pool.stride) == ((14,), (2,))
    assert depthwise.receptive_field == (18,)
    assert whole.receptive_field == (100,)


def test_branches_see_what_the_widest_sees():
    image = keras.Input((20, 20, 1))
    narrow = layers.Conv2D(2, 3, padding="same", name="narrow")(image)
    wide = layers.Conv2D(2, 7, padding="same", name="wide")(image)
    joined = layers.Concatenate(name="joined")([narrow, wide])
    added = layers.Add(name="added")([narrow, wide])
    both = layers.Concatenate(name="both")([joined, added])
    doubled = both * 2.0
    model = keras.Model(image, layers.GlobalMaxPooling2D(name="pooled")(doubled))
    layer = by_name(model)
    assert layer["joined"].receptive_field == layer["added"].receptive_field == (7, 7)
    assert layer["joined"].flops == 0
    assert layer["added"].flops == 20 * 20 * 2
    assert layer["pooled"].receptive_field == (20, 20)
    assert [la.kind for la in anatomy(model).layers if la.kind == "Multiply"] == ["Multiply"]


def test_image_and_observables():
    image, observables = keras.Input((12, 12, 1)), keras.Input((3,))
    seen = layers.Flatten()(layers.Conv2D(2, 5)(image))
    joined = layers.Concatenate(name="joined")([seen, layers.Dense(4, name="dense")(observables)])
    model = keras.Model([image, observables], layers.Dense(2, name="output")(joined))
    layer = by_name(model)
    assert layer["dense"].receptive_field is None
    assert layer["joined"].receptive_field == (5, 5)
    assert layer["output"].receptive_field == (12, 12)
    assert anatomy(model).input_shapes == ((12, 12, 1), (3,))


def test_nested_and_shared_layers_are_counted_once():
    inner = network((10, 10, 1), layers.Conv2D(1, 3, padding="same", name="conv"))
    inner.name = "inner"
    image = keras.Input((10, 10, 1))
    model = keras.Model(image, inner(inner(image)))
    first, second = anatomy(model).layers
    assert (first.name, second.name) == ("inner/conv", "inner#2/conv#2")
    assert (first.parameters, second.parameters) == (10, 0)
    assert (first.receptive_field, second.receptive_field) == ((3, 3), (5, 5))
    assert anatomy(model).parameters == model.count_params() == 10
    assert first.flops == second.flops > 0


def test_a_layer_shared_with_another_model_does_not_lead_there():
    shared = layers.Conv2D(2, 3, name="shared")
    one = network((10, 10, 1), shared, layers.Flatten())
    other = network((20, 20, 1), shared, layers.GlobalMaxPooling2D())
    assert [la.output_shape for la in anatomy(one).layers] == [(8, 8, 2), (128,)]
    assert [la.output_shape for la in anatomy(other).layers] == [(18, 18, 2), (2,)]


def test_a_vector_that_is_reshaped_becomes_the_image():
    model = network((64,), layers.Reshape((8, 8, 1)), layers.Conv2D(1, 3))
    assert anatomy(model).layers[-1].receptive_field == (3, 3)


def test_channels_first():
    model = network(
        (3, 12, 14),
        layers.Conv2D(4, 3, data_format="channels_first"),
        layers.MaxPooling2D(2, data_format="channels_first"),
    )
    conv, pool = anatomy(model).layers
    assert conv.flops == 2 * 9 * 3 * 4 * 10 * 12
    assert conv.receptive_field == (3, 3)
    assert pool.stride == (2, 2)


def test_unknown_layers_are_said_to_be_unknown():
    model = network((6, 6, 2), layers.Lambda(lambda x: x[:, ::-1], name="flip"), layers.Flatten())
    result = anatomy(model)
    assert result.uncounted == ("flip",)
    assert [layer.receptive_field for layer in result.layers] == [None, None]
    assert "?: not counted" in result.as_table()
    recurrent = anatomy(network((6, 2), layers.LSTM(3), layers.Dense(1)))
    assert recurrent.layers[0].receptive_field is None
    assert recurrent.layers[0].parameters == 4 * 3 * (2 + 3 + 1)
    assert recurrent.flops == 2 * 3


def test_images_of_any_size():
    result = anatomy(network((None, None, 1), layers.Conv2D(2, 3, name="conv")))
    assert result.layers[0].output_shape == (None, None, 2)
    assert result.layers[0].receptive_field is None
    assert result.uncounted == ("conv",)
    assert "? x ? x 2" in result.as_table()


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="own")
        self.dense = layers.Dense(3, name="dense")

    def call(self, x):
        return self.dense(x)


def test_subclassed_model_lists_its_layers():
    model = Subclassed()
    with pytest.raises(StriateError, match=r"model 'own' is not built, .* call it on images once$"):
        anatomy(model)
    model(np.zeros((1, 4), np.float32))
    (layer,) = anatomy(model).layers
    assert (layer.name, layer.parameters, layer.output_shape) == ("dense", 15, None)
    assert anatomy(model).uncounted == ("dense",)


def test_what_is_no_built_model_is_refused():
    with pytest.raises(StriateError, match=r"not built, .* begin it with keras\.Input"):
        anatomy(keras.Sequential([layers.Dense(3)]))
    with pytest.raises(StriateError, match="takes a Keras model, not a str"):
        anatomy("heidelberg")


@pytest.mark.parametrize("name", sorted(st.models.REGISTRY))
def test_every_lecture_network_is_known_whole(name, lecture_network):
    model = lecture_network(name)
    result = anatomy(model)
    assert result.uncounted == ()
    assert result.parameters == model.count_params()
    assert [layer.name for layer in result.layers] == [layer.name for layer in model.layers]
    for row, layer in zip(result.layers, model.layers, strict=True):
        assert row.output_shape == layer.output.shape[1:]
        assert row.receptive_field is not None
    json.dumps(result.as_dict(), allow_nan=False)


def test_table_lists_every_layer_and_the_totals(lecture_network):
    table = anatomy(lecture_network("oslo_digits")).as_table()
    lines = table.splitlines()
    assert lines[0] == "oslo_digits: input 8 x 8 x 1"
    assert lines[1].split() == ["layer", "kind", "output", "parameters", "FLOPs", "sees", "step"]
    assert [line.split()[0] for line in lines[3:8]] == [
        *("conv", "pool", "flatten", "hidden", "output")
    ]
    assert lines[9].split() == ["total", "5,160", f"{6480 + 360 + 9000 + 1000:,}"]
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.slow
def test_receptive_fields_agree_with_published_ones():
    # Araujo, Norris, Sim, Distill (2019): 212 for the five blocks of VGG-16, 315 for MobileNet.
    # The width of the layers does not matter to them.
    mobile = keras.applications.MobileNet(
        (512, 512, 3), alpha=0.25, weights=None, include_top=False
    )
    last = anatomy(mobile).layers[-1]
    assert (last.receptive_field, last.stride) == ((315, 315), (32, 32))
    blocks = [2, 2, 3, 3, 3]
    stack = [
        layer
        for convolutions in blocks
        for layer in (
            *(layers.Conv2D(1, 3, padding="same") for _ in range(convolutions)),
            layers.MaxPooling2D(2),
        )
    ]
    vgg = anatomy(network((224, 224, 3), *stack)).layers[-1]
    assert (vgg.receptive_field, vgg.stride) == ((212, 212), (32, 32))

# %% [markdown]
# # Two convolutions, four predictions, and every device there is
#
# Source: D. Bonacorsi, *Lab on convolutional neural networks*, ISGC 2021 (rows N10, N11).
#
# The lab stacks two convolutions without pooling, and asks how much faster a GPU trains them. The
# answer depends on the program as much as on the device, so measure both on your own machine.

# %%
import time

import striate as st  # first: it selects the backend of Keras
import jax
import keras
import numpy as np
from keras import layers

data = st.load("mnist")
x_train, x_test = data.train.images, data.test.images
y_train = keras.utils.to_categorical(data.train.labels, 10)
y_test = keras.utils.to_categorical(data.test.labels, 10)

# %% [markdown]
# ## The network
#
# 64 kernels of 3 x 3 on one channel, then 32 on 64 channels. Without pooling the image shrinks by
# the border only, 28, 26, 24 pixels, and the dense layer has 184,330 of the 203,434 parameters.
# A neuron of the second layer sees 5 x 5 pixels of the image.


# %%
def build():
    """Return the network of the lab, compiled as it compiles it, from seed 0."""
    keras.utils.set_random_seed(0)
    model = st.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(64, kernel_size=3, activation="relu"),
            layers.Conv2D(32, kernel_size=3, activation="relu"),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


model = build()
model.summary()
fields = st.convolution.receptive_field(
    (28, 28), st.convolution.Convolution(3), st.convolution.Convolution(3)
)
assert fields[-1].size == (5, 5)
assert model.count_params() == 203_434

# %% [markdown]
# Which of its layers run on compiled kernels, and which stay with Keras:

# %%
print(model.engine_report())

# %%
training = model.fit(
    x_train, y_train, epochs=3, batch_size=32, validation_data=(x_test, y_test), verbose=2
)

# %%
figure = st.plots.history(training.history, "two convolutions on MNIST", validation="test")
st.plots.save(figure, "figures/isgc_history")
figure

# %% [markdown]
# ## Four predictions
#
# Ten numbers for each image, between 0 and 1 and with a sum of 1. The lecture's network answers
# 7, 2, 1, 0 for the first four test images, and so does this one.

# %%
probabilities = model.predict(x_test[:4], verbose=0)
print(probabilities.round(3))
print("predicted", probabilities.argmax(axis=1), "true", data.test.labels[:4])

# %%
result = st.evaluate(model, data)
figure = st.plots.predictions(result, x_test, indices=range(4))
st.plots.save(figure, "figures/isgc_predictions")
figure

# %% [markdown]
# ## The same training on each device
#
# The first epoch compiles the program, so a second one is timed. JAX finds GPUs and TPUs where its
# matching version is installed; here it names what it has.

# %%
devices = jax.devices("cpu")[:1] + [d for d in jax.devices() if d.platform != "cpu"]
for device in devices:
    with jax.default_device(device):
        timed = build()
        timed.fit(x_train[:6400], y_train[:6400], batch_size=32, verbose=0)
        begin = time.perf_counter()
        timed.fit(x_train[:6400], y_train[:6400], batch_size=32, verbose=0)
        seconds = time.perf_counter() - begin
    print(f"{device.platform:4s} {device.device_kind}: {6400 / seconds:,.0f} images a second")

# %%
assert probabilities.argmax(axis=1).tolist() == [7, 2, 1, 0]
assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
assert result.accuracy >= 0.98

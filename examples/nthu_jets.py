# %% [markdown]
# # W bosons or quarks and gluons? Jets as images
#
# Source: PHYS591000, *Convolutional neural networks*, NTHU 2022 (row N9, the week's lab).
#
# A W boson with much momentum decays into two quarks so close that they make one jet, with two
# cores. Jets of single quarks and gluons have one. A calorimeter's cells are pixels: an image, in
# which a convolutional network can look for the second core. 20,000 simulated jets come with
# striate.

# %%
import striate as st
from keras import layers

data = st.load("jets")
print(data)

# %% [markdown]
# ## Look at the averages
#
# Every image is centred on its hardest core and turned, so that the second one lies below it. In a
# single jet one sees little; in the average over thousands one sees the physics.

# %%
width = data.provenance["image"]["width"]  # in eta and phi
figure = st.plots.average_images(
    data.train.images, data.train.labels, data.class_names, width=width
)
st.plots.save(figure, "figures/nthu_jets_average")
figure

# %% [markdown]
# ## A dense network and a convolutional one
#
# Both have about 90,000 parameters, so the architectures are compared and not the sizes. The
# dense one has to learn for each pixel anew what a core looks like; it learns its training jets by
# heart sooner, and gets fewer epochs.

# %%
dense = st.Sequential(
    [
        layers.Input(data.image_shape),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(2, activation="softmax"),
    ],
    name="dense",
)
convolutional = st.Sequential(
    [
        layers.Input(data.image_shape),
        layers.Conv2D(32, 5, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(2, activation="softmax"),
    ],
    name="convolutional",
)

# %%
networks = {"dense": (dense, 6), "convolutional": (convolutional, 12)}
for name, (model, epochs) in networks.items():
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    run = st.train(model, data, epochs=epochs, batch_size=128, seed=0, verbose=0)
    print(f"{name}: {model.count_params():,} parameters, validation accuracy {run.accuracy:.3f}")

# %% [markdown]
# ## What a tagger is worth
#
# Accuracy is not the question. An analysis keeps half of the W jets, say, and asks how many of the
# others it throws away for each one that stays: the background rejection 1 / eps_B at
# eps_S = 0.5. It has an error, since only few jets of the background are left. And a network has
# to beat what physicists did before: the jet's mass, and tau_21, which is small for two cores.

# %%
tagging = st.evaluate_tagger(convolutional, data, against={"dense": dense})
for tagger in tagging.taggers:
    print(f"{tagger.name:28s} AUC {tagger.auc}")

# %%
figure = st.plots.rejection(tagging)
st.plots.save(figure, "figures/nthu_jets_rejection")
figure

# %% [markdown]
# The output itself, for test and training jets: where both agree, nothing was learned by heart.

# %%
figure = st.plots.response(tagging)
st.plots.save(figure, "figures/nthu_jets_response")
figure

# %%
network = tagging.network
beaten = {tagger.name: tagging.advantage(tagger) for tagger in tagging.taggers[1:]}
for name, gain in beaten.items():
    print(f"area larger than that of {name} by {gain:+.4f} +- {gain.error:.4f}")
assert network.auc >= 0.935
assert beaten["dense"] > 2 * beaten["dense"].error

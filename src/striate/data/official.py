"""Names, sizes, checksums and addresses of the official files of the standard datasets.

The first address of MNIST is the one that TensorFlow Datasets uses, the second torchvision's; the
page of its authors no longer offers the files. The SHA-256 of MNIST, Fashion-MNIST and the binary
archive of CIFAR-10 are those that TensorFlow Datasets publishes, that of its Python archive
Keras's.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: its name, size in bytes and SHA-256, and the addresses that offer it."""

    name: str
    size: int
    sha256: str
    addresses: tuple[str, ...]


FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
FASHION_LICENCE = "MIT, (c) 2017 Zalando SE"
MNIST_LICENCE = "none stated; Y. LeCun, C. Cortes and C. Burges"

_MNIST = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
_FASHION = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
_CIFAR = ("https://www.cs.toronto.edu/~kriz/",)


def _file(bases: tuple[str, ...], name: str, size: int, sha256: str) -> RemoteFile:
    return RemoteFile(name, size, sha256, tuple(base + name for base in bases))


MNIST = (
    _file(
        _MNIST,
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    _file(
        _MNIST,
        "train-labels-idx1-ubyte.gz",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    _file(
        _MNIST,
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    _file(
        _MNIST,
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
FASHION_MNIST = (
    _file(
        _FASHION,
        "train-images-idx3-ubyte.gz",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    _file(
        _FASHION,
        "train-labels-idx1-ubyte.gz",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    _file(
        _FASHION,
        "t10k-images-idx3-ubyte.gz",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    _file(
        _FASHION,
        "t10k-labels-idx1-ubyte.gz",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)
CIFAR10 = _file(
    _CIFAR,
    "cifar-10-binary.tar.gz",
    170_052_171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
)
CIFAR10_PYTHON = _file(
    _CIFAR,
    "cifar-10-python.tar.gz",
    170_498_071,
    "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
)
# Of decompressed files, which many keep.
DECOMPRESSED_SHA256 = {
    MNIST[0].sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    MNIST[1].sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    MNIST[2].sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    MNIST[3].sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    FASHION_MNIST[0].sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    FASHION_MNIST[1].sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    FASHION_MNIST[2].sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    FASHION_MNIST[3].sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
# CIFAR-10 as NumPy batches with arrays x, y and exact: 161 of the 60,000 images come from a JPEG
# copy, and exact is false there. Nobody offers these for download.
CIFAR10_BATCHES = {
    "train_batch_1.npz": "d8632dfa08932e68ad71c04d1d0ac4681bedb45ef48c8e5c8f883a5f5d936dc2",
    "train_batch_2.npz": "f3dd7b9b2e92e207fc0fd6ddc71fc72ea6d6c3606392371edb8ee013d38ddbd1",
    "train_batch_3.npz": "a9f2be210defd1784f51a4dd13f1e24bd48a9b5837b38067365c807283252d6b",
    "train_batch_4.npz": "1ab4ba972ba43049285eaca5cffdb0e9988e302afc0a4c2985d74508bae9d43f",
    "train_batch_5.npz": "3c7bdb45c6f7e529c65cda04549b3f99f47df33191a2505eab776af9f4bd3d27",
    "test_batch.npz": "6597b3e862a609ba56342af548e08f3c5f64d5f7c5df62c0c85b4992f00ba871",
}

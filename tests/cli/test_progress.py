from striate.cli.progress import epoch_line, gets_line


def test_of_many_epochs_about_ten_get_a_line():
    shown = [epoch for epoch in range(1, 101) if gets_line(epoch, 100)]
    assert shown == [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert [e for e in range(1, 16) if gets_line(e, 15)] == [1, 2, 4, 6, 8, 10, 12, 14, 15]


def test_of_few_epochs_each_gets_a_line():
    assert all(gets_line(epoch, 3) for epoch in (1, 2, 3))


def test_the_line_of_an_epoch_pairs_training_and_validation():
    logs = {"accuracy": 0.5, "loss": 1.25, "val_accuracy": 0.4, "val_loss": 1.5}
    training = {"epochs": 10, "validation_on": "test"}
    assert epoch_line(3, logs, 0.0251, training) == (
        "epoch 3/10: loss 1.2500 (test 1.5000), accuracy 0.5000 (test 0.4000), 25.1 ms"
    )

"""When the alarms of an adversarial training sound, and when not yet."""

from keras_gen.training import alarms


def test_a_weak_discriminator_is_reported_once():
    weak, strong = {"discriminator_advantage": 0.01}, {"discriminator_advantage": 0.2}
    for rows in ([], [weak] * 2, [weak, strong, weak], [strong, weak, weak], [weak] * 4):
        assert alarms.weak_discriminator_alarm(rows) is None
    for rows in ([weak] * 3, [strong, weak, weak, weak], [weak, strong, *[weak] * 3]):
        message = alarms.weak_discriminator_alarm(rows)
        assert "--learning-rate 5e-5 --discriminator-rate 1e-3" in message


def test_the_same_image_repeatedly_is_a_collapse():
    fine, found = {"diversity": 0.9}, {"diversity": 0.001}
    assert alarms.collapse_alarm([]) is None
    assert alarms.collapse_alarm([fine, found, found]) is None
    assert alarms.collapse_alarm([fine, found, found, fine]) is None
    assert alarms.collapse_alarm([found] * 5) is None, "it has only begun"
    message = alarms.collapse_alarm([fine, found, found, found])
    assert "has collapsed: its images have 0% of the diversity" in message
    assert "gamma" in message
    assert alarms.collapse_alarm([found] * (alarms.NEVER_DIVERSE - 1)) is None
    message = alarms.collapse_alarm([found] * alarms.NEVER_DIVERSE)
    assert "in all 10 evaluations; a lower" in message

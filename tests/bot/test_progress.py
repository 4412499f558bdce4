"""What is confirmed is done, and all before it."""

from bot.progress import Progress


def test_what_is_done_out_of_order_is_confirmed_once_all_before_it_is() -> None:
    progress = Progress()
    for seq in (3, 4, 7):
        progress.begin(seq)
    progress.finish(7)
    assert progress.done_up_to == 2
    progress.finish(3)
    assert progress.done_up_to == 3
    progress.finish(4)
    assert progress.done_up_to == 7
    progress.begin(4)  # told again
    assert progress.done_up_to == 3
    progress.finish(4)
    assert progress.done_up_to == 7

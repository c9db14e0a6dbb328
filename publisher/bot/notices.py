"""The message that says a wish is accepted: edited as the work goes on, and at its end."""

from __future__ import annotations

from dataclasses import dataclass, field

from publisher.bot.sender import Place, Sender
from publisher.ledger import wishes
from publisher.ledger.models import Wish
from publisher.wording import say


@dataclass
class Notices:
    """`minutes`: the deadline, for the words that name it."""

    sender: Sender
    minutes: int
    under_way: dict[int, str] = field(default_factory=dict)
    """By wish: a notice that was not answered for yet, and what is to become of it when it is."""

    def begin(self, wish: Wish, text: str) -> None:
        self.under_way[wish.id] = ""

        def on_sent(message_id: int) -> None:
            wishes.noticed(wish, message_id)
            if end := self.under_way.pop(wish.id, ""):
                self.settle(wish, end)

        def on_lost() -> None:
            if (end := self.under_way.pop(wish.id, "")) and not wish.meme_id:
                self.sender.text(place_of(wish), end, f"end:{wish.key}")

        self.sender.text(
            place_of(wish),
            text,
            wish.key,
            random_id=wish.notice_random_id,
            slot=("notice", wish.id),
            on_sent=on_sent,
            on_lost=on_lost,
        )

    def progress(self, wish: Wish, text: str) -> None:
        if wish.notice_id:
            self.sender.edit(place_of(wish), wish.notice_id, text)

    def withdraw(self, wish: Wish) -> None:
        """Not to be sent any more, if it has not left by now: what it says is past."""
        if self.sender.outbox.withdraw(("notice", wish.id)):
            self.under_way.pop(wish.id, None)

    def settle(self, wish: Wish, text: str) -> bool:
        """The notice's last words; of one still on its way, when it has arrived. False: there is
        none."""
        if wish.notice_id:
            self.sender.edit(place_of(wish), wish.notice_id, text, must=True)
            return True
        if wish.id not in self.under_way:
            return False
        self.under_way[wish.id] = text
        return True

    def no_meme(self, wish: Wish, code: str) -> None:
        """Why there is none: in the notice, or else in a message of its own."""
        text = say(code, wish.speaks, minutes=self.minutes)
        if not self.settle(wish, text):
            self.sender.text(place_of(wish), text, f"end:{wish.key}")


def place_of(wish: Wish) -> Place:
    return Place(wish.chat, wish.access_hash, wish.reply_to)

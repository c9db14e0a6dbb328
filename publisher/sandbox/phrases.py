"""What the partners' bots and admins say, in the style of real suggestion bots."""

from __future__ import annotations

PHRASES: dict[str, dict[str, tuple[str, ...]]] = {
    "greeting": {
        "ru": (
            "Привет! 👋 Это предложка канала «{title}». Пришлите картинку, и её увидят админы.",
            "Здравствуйте! Сюда можно предложить пост в «{title}». Отправьте мем одним сообщением.",
        ),
        "en": (
            "Hi! 👋 This is the suggestion box of “{title}”. Send a picture and our admins will "
            "look at it.",
            "Hello! Send your meme here to suggest it for “{title}”.",
        ),
    },
    "receipt": {
        "ru": (
            "Спасибо! Ваше предложение принято и отправлено на модерацию.",
            "✅ Пост отправлен на модерацию. Ожидайте решения.",
            "Получили! Админы посмотрят и решат.",
        ),
        "en": (
            "Thanks! Your post has been received and sent to the moderators.",
            "✅ Submitted for review. Please wait for a decision.",
            "Got it! The admins will have a look.",
        ),
    },
    "accepted": {
        "ru": (
            "Ваше предложение принято! Скоро опубликуем.",
            "🎉 Ваш пост одобрен и будет опубликован в канале.",
        ),
        "en": (
            "Your suggestion has been accepted! We'll post it soon.",
            "🎉 Your post was approved and will appear in the channel.",
        ),
    },
    "published": {
        "ru": ("Ваш пост опубликован: https://t.me/{channel}/{post}",),
        "en": ("Your post is live: https://t.me/{channel}/{post}",),
    },
    "rejected": {
        "ru": (
            "К сожалению, ваше предложение отклонено. Причина: {reason}.",
            "❌ Пост не прошёл модерацию: {reason}.",
        ),
        "en": (
            "Sorry, your suggestion was declined. Reason: {reason}.",
            "❌ Your post did not pass moderation: {reason}.",
        ),
    },
    "reason": {
        "ru": ("баян", "не подходит по тематике", "слишком мелкий текст"),
        "en": ("we've seen it already", "off topic for us", "the text is too small"),
    },
    "limit": {
        "ru": ("Превышен лимит: не больше {limit} предложений в сутки. Попробуйте завтра.",),
        "en": ("You have reached the limit of {limit} suggestions a day. Try again tomorrow.",),
    },
    "banned": {
        "ru": ("⛔ Вы заблокированы и больше не можете отправлять предложения.",),
        "en": ("⛔ You have been banned and can no longer send suggestions.",),
    },
    "join_first": {
        "ru": ("Чтобы предложить пост, сначала подпишитесь на канал @{channel}.",),
        "en": ("To suggest a post, please subscribe to @{channel} first.",),
    },
    "pictures_only": {
        "ru": ("Я принимаю только картинки. Пришлите мем фотографией, а не файлом или текстом.",),
        "en": ("I only take pictures. Please send the meme as a photo, not as a file or text.",),
    },
    "confirm": {
        "ru": ("Отправить этот пост на модерацию?",),
        "en": ("Send this post to the moderators?",),
    },
    "confirm_yes": {"ru": ("✅ Отправить",), "en": ("✅ Send",)},
    "confirm_no": {"ru": ("❌ Отмена",), "en": ("❌ Cancel",)},
    "cancelled": {"ru": ("Отменено.",), "en": ("Cancelled.",)},
    "authorship": {
        "ru": ("Опубликовать анонимно или с подписью?",),
        "en": ("Publish it anonymously or signed with your name?",),
    },
    "anonymous": {"ru": ("🕶 Анонимно",), "en": ("🕶 Anonymously",)},
    "signed": {"ru": ("✍️ С подписью",), "en": ("✍️ Signed",)},
    "signature": {"ru": ("Прислал(а): {name}",), "en": ("Sent by: {name}",)},
    "chat_accepted": {
        "ru": ("Годно, забираю в канал 😄", "Ха, хорошо! Поставлю сегодня."),
        "en": ("Nice one, I'll post it 😄", "Ha, good! Taking it for the channel."),
    },
    "chat_rejected": {
        "ru": ("Не, это не к нам, извини.", "Баян же."),
        "en": ("Sorry, not our kind of thing.", "Seen that one already."),
    },
    "reject_comment": {
        "ru": ("Спасибо, но это не наш формат.",),
        "en": ("Thanks, but it does not fit our format.",),
    },
}


def phrase(key: str, language: str, turn: int = 0, **fields: object) -> str:
    """The phrase of that key; `turn` picks among its variants."""
    variants = PHRASES[key][language]
    return variants[turn % len(variants)].format(**fields)

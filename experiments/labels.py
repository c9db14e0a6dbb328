"""Headings and labels of the weekly report, Russian and English."""

LABELS: dict[str, dict[str, str]] = {
    "title": {"ru": "Отчёт за неделю", "en": "Weekly report"},
    "other_language": {"ru": "In English", "en": "По-русски"},
    "verdict": {"ru": "Вывод", "en": "Verdict"},
    "not_trusted": {
        "ru": "Есть тревога: выводу пока верить нельзя",
        "en": "There is an alarm: do not trust the verdict yet",
    },
    "effect": {"ru": "Разница", "en": "Difference"},
    "interval": {"ru": "{level} интервал", "en": "{level} interval"},
    "always_valid": {"ru": "верен в любой момент", "en": "valid at any time"},
    "sign_flip": {"ru": "обращением теста", "en": "by inverting the test"},
    "pairs_complete": {"ru": "Полных пар", "en": "Complete pairs"},
    "pairs_of": {"ru": "из", "en": "of"},
    "still_needed": {"ru": "Ещё нужно пар", "en": "Pairs still needed"},
    "weeks": {"ru": "нед.", "en": "wk"},
    "effect_weeks": {"ru": "Разница по неделям", "en": "Difference over the weeks"},
    "effect_weeks_note": {
        "ru": "Линия: разница по всем парам к концу недели. Полоса: интервал, верный, сколько бы "
        "раз "
        "на него ни смотрели. Точки: пары одной недели. Пунктир: граница «не хуже». "
        "Отвесная черта: взгляд, на котором опыт решён.",
        "en": "Line: the difference over all pairs by the end of the week. Band: an interval that "
        'holds however often one looks. Dots: the pairs of one week. Dashes: the margin of "not '
        'worse". Upright line: the look that decided.',
    },
    "looks": {"ru": "Взгляды по плану", "en": "Registered looks"},
    "look": {"ru": "Взгляд", "en": "Look"},
    "pairs": {"ru": "Пар", "en": "Pairs"},
    "alpha_spent": {"ru": "Потрачено α", "en": "α spent"},
    "crossed": {"ru": "Граница", "en": "Boundary"},
    "crossed_yes": {"ru": "пройдена", "en": "crossed"},
    "crossed_no": {"ru": "не пройдена", "en": "not crossed"},
    "shares": {"ru": "Доли положительных реакций", "en": "Shares of positive reactions"},
    "shares_note": {
        "ru": "Каждая точка — пост; ящик — середина половины постов, черта — медиана.",
        "en": "Each dot is a post; the box holds the middle half of them, the bar is the median.",
    },
    "ages": {"ru": "Как копятся реакции", "en": "How reactions accumulate"},
    "ages_note": {
        "ru": "Положительных и отрицательных реакций на пост в среднем, по возрасту поста.",
        "en": "Positive and negative reactions a post on average, by age of the post.",
    },
    "age_axis": {"ru": "часов после выхода", "en": "hours after publication"},
    "reactions_axis": {"ru": "реакций на пост", "en": "reactions a post"},
    "week_axis": {"ru": "неделя опыта", "en": "week of the experiment"},
    "difference_axis": {"ru": "разница, п. п.", "en": "difference, pp"},
    "channels": {"ru": "По каналам", "en": "By channel"},
    "channels_note": {
        "ru": "Обычный {level} интервал каждого канала, без поправки на число каналов и взглядов: "
        "решает общая разница.",
        "en": "An ordinary {level} interval for each channel, not corrected for the number of "
        "channels or looks: the overall difference decides.",
    },
    "channel": {"ru": "Канал", "en": "Channel"},
    "members": {"ru": "Подписчиков", "en": "Members"},
    "generated": {"ru": "генерированные", "en": "generated"},
    "human": {"ru": "человеческие", "en": "human"},
    "new_channels": {
        "ru": "О каналах, которых у нас ещё нет (t-тест по средним каналов)",
        "en": "About channels not yet ours (t-test on channel means)",
    },
    "metrics": {"ru": "Четыре показателя против 0,7", "en": "The four metrics against 0.7"},
    "metrics_note": {
        "ru": "Решает столбец «значение». Буквальное чтение показано, но ничего не решает. "
        "Граница — "
        "односторонняя, с поправкой Бонферрони на четыре показателя. Интервалы считают посты "
        "канала независимыми: если настроение держится неделями, они узки.",
        "en": 'The column "value" decides. The literal reading is shown and never decides. The '
        "bound "
        "is one-sided, Bonferroni over the four metrics. The intervals take a channel's posts as "
        "independent: where a mood lasts for weeks they are too narrow.",
    },
    "metrics_excluded": {"ru": "Вне показателей", "en": "Left out of the metrics"},
    "metric": {"ru": "Показатель", "en": "Metric"},
    "value": {"ru": "Значение", "en": "Value"},
    "literal": {"ru": "Буквально", "en": "Literal"},
    "lower": {"ru": "Граница", "en": "Bound"},
    "units": {"ru": "Каналов или партнёров", "en": "Channels or partners"},
    "arm": {"ru": "Группа", "en": "Arm"},
    "pilot": {"ru": "Итог пилота", "en": "Pilot verdict"},
    "pilot_document": {
        "ru": "Критерий документа (точечная оценка ≥ 0,7 или пройден A/B-тест)",
        "en": "Document criterion (a point estimate ≥ 0.7, or the A/B test passed)",
    },
    "pilot_supported": {
        "ru": "Подтверждено (нижняя граница ≥ 0,7)",
        "en": "Supported (lower bound ≥ 0.7)",
    },
    "yes": {"ru": "да", "en": "yes"},
    "no": {"ru": "нет", "en": "no"},
    "unmeasured": {"ru": "нет данных", "en": "no data"},
    "avg_react": {"ru": "AvgReact", "en": "AvgReact"},
    "weighted_avg_react": {"ru": "WeightedAvgReact", "en": "WeightedAvgReact"},
    "avg_sug": {"ru": "AvgSug", "en": "AvgSug"},
    "weighted_avg_sug": {"ru": "WeightedAvgSug", "en": "WeightedAvgSug"},
    "secondary": {"ru": "Прочие показатели", "en": "Secondary metrics"},
    "posts": {"ru": "Постов", "en": "Posts"},
    "likes_per_1000_views": {"ru": "Лайков на 1000 просмотров", "en": "Likes per 1,000 views"},
    "forwards_per_post": {"ru": "Пересылок на пост", "en": "Forwards a post"},
    "top_decile": {"ru": "Доля в лучшей десятой", "en": "Share in the top decile"},
    "partners": {"ru": "Партнёры", "en": "Partners"},
    "partners_note": {
        "ru": "Считается опубликованное. Молчание показано отдельно: верхняя граница — если бы все "
        "молчавшие опубликовали.",
        "en": "Published is what counts. Silence is shown apart: the upper bound is had every "
        "silent "
        "one published.",
    },
    "partner": {"ru": "Партнёр", "en": "Partner"},
    "offered": {"ru": "Предложено", "en": "Offered"},
    "received": {"ru": "Получено", "en": "Received"},
    "accepted": {"ru": "Опубликовано", "en": "Published"},
    "rejected": {"ru": "Отказ", "en": "Rejected"},
    "censored": {"ru": "Молчание", "en": "Silent"},
    "approved_unpublished": {"ru": "Принято, не вышло", "en": "Accepted, not out"},
    "undecided": {"ru": "Ждём", "en": "Pending"},
    "rate": {"ru": "Доля", "en": "Rate"},
    "route": {"ru": "Путь", "en": "Route"},
    "last_answer": {"ru": "Последний ответ", "en": "Last answer"},
    "bounds": {"ru": "Границы", "en": "Bounds"},
    "test": {"ru": "Сравнение групп", "en": "Comparison of the arms"},
    "cmh": {"ru": "Кокрана — Мантеля — Хензеля", "en": "Cochran–Mantel–Haenszel"},
    "boschloo": {"ru": "Бошло", "en": "Boschloo"},
    "exact_stratified": {"ru": "точный по слоям", "en": "exact stratified"},
    "offers_pending": {
        "ru": "Ещё ждут исхода, нигде не посчитаны; предложений",
        "en": "Their outcome is pending, they count nowhere yet; offers",
    },
    "offers_not_random": {
        "ru": "Вне сравнения групп, потому что группу выбрал не жребий; предложений",
        "en": "Outside the comparison, because their arm was not drawn by a coin; offers",
    },
    "odds_ratio": {"ru": "отношение шансов", "en": "odds ratio"},
    "best": {"ru": "Лучшие мемы", "en": "Best memes"},
    "worst": {"ru": "Худшие мемы", "en": "Worst memes"},
    "memes_note": {
        "ru": "Порядок по границе Уилсона: случайный пост с тремя реакциями наверх не попадёт.",
        "en": "Ordered by the Wilson bound: a post with three lucky reactions does not come first.",
    },
    "views": {"ru": "просмотров", "en": "views"},
    "likes": {"ru": "лайков", "en": "likes"},
    "dislikes": {"ru": "дизлайков", "en": "dislikes"},
    "age": {"ru": "Возраст, ч", "en": "Age, h"},
    "reactions": {"ru": "Реакций на пост", "en": "Reactions a post"},
    "any_time": {"ru": "верный в любой момент", "en": "valid at any time"},
    "no_picture": {"ru": "картинки нет", "en": "no picture"},
    "growth": {"ru": "Рост подписчиков", "en": "Growth of members"},
    "growth_note": {
        "ru": "Чистый рост: пришли минус ушли.",
        "en": "Net growth: joined minus left.",
    },
    "joined": {"ru": "Пришли", "en": "Joined"},
    "left": {"ru": "Ушли", "en": "Left"},
    "net": {"ru": "Чистый рост", "en": "Net"},
    "quality": {"ru": "Качество данных", "en": "Data quality"},
    "checks": {"ru": "Проверки", "en": "Checks"},
    "check": {"ru": "Проверка", "en": "Check"},
    "result": {"ru": "Итог", "en": "Result"},
    "status_ok": {"ru": "в порядке", "en": "fine"},
    "status_warn": {"ru": "внимание", "en": "look at it"},
    "status_alarm": {"ru": "тревога", "en": "alarm"},
    "status_skipped": {"ru": "не проверено", "en": "not checked"},
    "exclusions": {"ru": "Вне сравнения", "en": "Left out of the comparison"},
    "exclusions_none": {"ru": "Ни один пост не исключён.", "en": "No post is left out."},
    "row": {"ru": "Строка", "en": "Row"},
    "post": {"ru": "Пост", "en": "Post"},
    "reason": {"ru": "Причина", "en": "Reason"},
    "problems": {"ru": "Ошибки и пометки в данных", "en": "Faults and notes in the data"},
    "worst_case": {
        "ru": "Если бы потерянные посты были крайними",
        "en": "Had the lost posts been extreme",
    },
    "pending": {"ru": "Ждут замера", "en": "Waiting for a snapshot"},
    "incomplete": {"ru": "Неполных пар", "en": "Incomplete pairs"},
    "invalid": {"ru": "Негодных пар", "en": "Invalid pairs"},
    "lost": {"ru": "Потеряно постов", "en": "Posts lost"},
    "method": {"ru": "Как это посчитано", "en": "How this is computed"},
    "registration": {"ru": "Предварительная регистрация", "en": "Pre-registration"},
    "registration_none": {"ru": "Регистрации нет.", "en": "There is no registration."},
    "registration_changed": {
        "ru": "Регистрация изменена после начала",
        "en": "The registration was changed after the beginning",
    },
    "registration_held": {
        "ru": "Число взглядов, векторы знаков и горизонт остаются из первой версии.",
        "en": "The number of looks, the sign vectors and the horizon stay those of version 1.",
    },
    "version": {"ru": "Версия", "en": "Version"},
    "changed": {"ru": "изменено", "en": "changed"},
    "recompute": {
        "ru": "Пересчитать все числа по таблицам этой папки:",
        "en": "Recompute every number from this folder's tables:",
    },
    "nothing_yet": {"ru": "Пока нет данных.", "en": "No data yet."},
    "more": {"ru": "и ещё", "en": "and more:"},
    "p_value": {"ru": "p", "en": "p"},
    "single_look": {"ru": "для одного-единственного взгляда", "en": "for one single look"},
    "simulated": {"ru": "Внимание", "en": "Notice"},
}

FIELDS: dict[str, dict[str, str]] = {
    "experiment": {"ru": "имя опыта", "en": "name"},
    "hypothesis": {"ru": "гипотеза", "en": "hypothesis"},
    "started": {"ru": "начало", "en": "start"},
    "secret_hash": {"ru": "хеш секрета", "en": "hash of the secret"},
    "metric": {"ru": "показатель", "en": "metric"},
    "age_hours": {"ru": "возраст замера, ч", "en": "age of the snapshot, h"},
    "looks": {"ru": "число взглядов", "en": "number of looks"},
    "planned_pairs": {"ru": "пар в плане", "en": "planned pairs"},
    "margin": {"ru": "граница «не хуже»", "en": 'margin of "not worse"'},
    "alpha": {"ru": "уровень α", "en": "level α"},
    "seed": {"ru": "зерно векторов", "en": "seed of the vectors"},
    "vectors": {"ru": "число векторов", "en": "number of vectors"},
    "exclusions": {"ru": "исключения", "en": "exclusions"},
    "reactions": {"ru": "реакции", "en": "reactions"},
}

SIMULATION: dict[str, dict[str, str]] = {
    "simulating": {"ru": "моделируем", "en": "simulate"},
    "figure": {"ru": "рисунок", "en": "figure"},
    "effect": {"ru": "разница", "en": "effect"},
    "one_look": {"ru": "один взгляд в конце", "en": "one look at the end"},
    "boundary": {"ru": "взгляды по плану", "en": "registered looks"},
    "always_valid": {"ru": "в любой момент (e-процесс)", "en": "any time (e-process)"},
    "peeking": {"ru": "обычный тест каждую неделю", "en": "plain test every week"},
    "pooled": {"ru": "хи-квадрат по всем реакциям", "en": "pooled chi-square"},
    "pooled_peeking": {"ru": "он же каждую неделю", "en": "pooled, every week"},
    "coverage": {"ru": "накрытие, обращение теста", "en": "coverage, inverted"},
    "coverage_always": {"ru": "накрытие, в любой момент", "en": "coverage, any time"},
    "stop": {"ru": "взгляд решения в среднем", "en": "mean look of decision"},
    "size": {
        "ru": "пар {pairs}, опытов {runs}, ±{error} возле 0.05",
        "en": "{pairs} pairs, {runs} runs, ±{error} near 0.05",
    },
    "pairs": {"ru": "пар", "en": "pairs"},
    "weeks": {"ru": "недель", "en": "weeks"},
    "power": {"ru": "мощность", "en": "power"},
    "decided": {"ru": "решено к этому взгляду", "en": "decided by then"},
    "level": {"ru": "5 %: ложные тревоги", "en": "5%: false alarms"},
}

METHOD: dict[str, list[str]] = {
    "ru": [
        "Единица случайного назначения — пост, а не реакция: реакции под одним постом растут и "
        "падают "
        "вместе. Слоты одного канала, часа и рода дня соединены в пары; порядок групп в паре "
        "решает "
        "HMAC-SHA256 с секретом, хеш которого опубликован до начала.",
        "Доля поста y = лайки / (лайки + дизлайки) в зарегистрированном возрасте. Разница пары d "
        "= y "
        "генерированного "
        "− y человеческого; эффект — среднее d. Пара без публикации или без реакций неполная: в "
        "оценку не входит, посчитана по группам, рядом крайние границы.",
        "Тест — перемена знаков: p = (1 + число векторов знаков с |Σ s·d| ≥ |Σ d|) / (B + 1), при "
        "16 "
        "парах и менее — все 2ⁿ векторов. Интервал — обращение того же теста.",
        "Еженедельные взгляды: перестановочная граница О’Брайена — Флеминга, "
        "α*(t) = 4[1 − Φ(z₁₋α/₄ / √t)], векторы знаков закреплены на весь опыт. Между взглядами и "
        "после "
        "плана — интервал, верный в любой момент (e-процесс нормальной смеси, порог {threshold}). "
        "После досрочного решения обычный интервал не показывается.",
        "Нужно пар: (1,96 + 0,84)² σ² / δ², где δ — граница «не хуже».",
        "Партнёры: тест Кокрана — Мантеля — Хензеля по слоям, при малых числах точный; интервалы "
        "Уилсона и Клоппера — Пирсона.",
    ],
    "en": [
        "The randomised unit is the post, never the reaction: one post's reactions rise and fall "
        "together. Slots of one channel, hour and kind of day form pairs; the order of the arms "
        "in a "
        "pair is drawn by HMAC-SHA256 under a secret whose hash was published before the start.",
        "A post's share is y = likes / (likes + dislikes) at the registered age. A pair's "
        "difference is d = y "
        "of the "
        "generated − y of the human post; the effect is the mean of d. A pair never published or "
        "without reactions is incomplete: outside the estimate, counted by arm, with the extreme "
        "bounds beside.",
        "The test flips signs: p = (1 + sign vectors with |Σ s·d| ≥ |Σ d|) / (B + 1), all 2ⁿ "
        "vectors "
        "for 16 pairs or fewer. The interval inverts the same test.",
        "Weekly looks: a permutation O'Brien–Fleming boundary, α*(t) = 4[1 − Φ(z₁₋α/₄ / √t)], with "
        "sign vectors fixed for the whole experiment. Between looks and past the plan: an interval "
        "valid at any time (normal-mixture e-process, threshold {threshold}). After an early "
        "decision the ordinary interval is not shown.",
        'Pairs needed: (1.96 + 0.84)² σ² / δ², δ being the margin of "not worse".',
        "Partners: the Cochran–Mantel–Haenszel test over strata, exact where counts are small; "
        "Wilson "
        "and Clopper–Pearson intervals.",
    ],
}

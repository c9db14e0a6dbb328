"""The tables behind `experiments.words`: code → language → text."""

Texts = dict[str, dict[str, str]]

VERDICTS: Texts = {
    "better": {
        "ru": "Генерированные мемы лучше человеческих",
        "en": "Generated memes do better than human ones",
    },
    "not_worse": {
        "ru": "Генерированные мемы не хуже человеческих",
        "en": "Generated memes do no worse than human ones",
    },
    "worse": {
        "ru": "Генерированные мемы хуже человеческих",
        "en": "Generated memes do worse than human ones",
    },
    "not_yet_clear": {"ru": "Пока не ясно", "en": "Not yet clear"},
}

STATEMENTS: Texts = {
    "know_effect": {
        "ru": "Доля положительных реакций у генерированных отличается на {effect} "
        "({level} интервал {interval}; полных пар: {n}).",
        "en": "The share of positive reactions of generated memes differs by {effect} "
        "({level} interval {interval}; complete pairs: {n}).",
    },
    "know_nothing": {
        "ru": "Полных пар ещё нет, разницу оценить не по чему.",
        "en": "There is no complete pair yet, so there is nothing to estimate from.",
    },
    "sure_nothing": {
        "ru": "Уверенности нет никакой: пар в плане {planned}, полных 0.",
        "en": "There is no certainty at all: pairs laid out {planned}, complete 0.",
    },
    "sure_boundary": {
        "ru": "Граница пройдена на взгляде {look} из {planned}: за все взгляды вместе ложная "
        "тревога "
        "случилась бы не чаще чем в {false_alarms} опытов.",
        "en": "The boundary was crossed at look {look} of {planned}: over all looks together a "
        "false alarm would come in at most {false_alarms} of experiments.",
    },
    "sure_stopped_early": {
        "ru": "Опыт решён досрочно, поэтому обычный {level} интервал был бы смещён; показан верный "
        "в любой момент.",
        "en": "The experiment was decided early, so the ordinary {level} interval would mislead; "
        "the one shown is valid at any time.",
    },
    "sure_always_valid": {
        "ru": "Интервал, верный в любой момент, не содержит нуля (E = {e}, порог {threshold}).",
        "en": "The interval valid at any time excludes zero (E = {e}, threshold {threshold}).",
    },
    "sure_margin_end": {
        "ru": "Односторонняя {level} нижняя граница {lower} выше −{margin}, зарегистрированной "
        "границы «не хуже». Это не значит «равны».",
        "en": "The one-sided {level} lower bound {lower} is above −{margin}, the registered margin "
        'of "not worse". That does not mean "equal".',
    },
    "sure_margin_always": {
        "ru": "Нижний конец интервала, верного в любой момент, {lower} выше −{margin}, "
        "зарегистрированной границы «не хуже». Это не значит «равны».",
        "en": "The lower end of the interval valid at any time, {lower}, is above −{margin}, the "
        'registered margin of "not worse". That does not mean "equal".',
    },
    "sure_zero_inside": {
        "ru": "Интервал содержит ноль (взгляд {look} из {planned}). «Не значимо» не значит "
        "«равны».",
        "en": 'The interval contains zero (look {look} of {planned}). "Not significant" is never '
        '"equal".',
    },
    "sure_before_boundary": {
        "ru": "Ноль уже вне интервала, но граница взгляда {look} из {planned} не пройдена: "
        "решать рано.",
        "en": "Zero is already outside the interval, but the boundary of look {look} of {planned} "
        "is not crossed: too early to decide.",
    },
    "sure_end_uncrossed": {
        "ru": "Ноль вне обычного {level} интервала, но граница последнего взгляда ({look} из "
        "{planned}) не пройдена: часть α истрачена раньше, и по плану вывода нет.",
        "en": "Zero is outside the ordinary {level} interval, but the boundary of the last look "
        "({look} of {planned}) is not crossed: a part of α was spent before, and by the plan "
        "nothing is decided.",
    },
    "sure_too_few": {
        "ru": "Полных пар {n}: меньше {fewest} не могут ничего исключить на уровне {false_alarms}.",
        "en": "Complete pairs: {n}. Fewer than {fewest} cannot exclude anything at the "
        "{false_alarms} level.",
    },
    "sure_past_plan": {
        "ru": "План из {planned} взглядов пройден; дальше верен только интервал, годный в любой "
        "момент.",
        "en": "The plan of {planned} looks is over; from here only the interval valid at any time "
        "holds.",
    },
    "change_alarm": {
        "ru": "Сначала разберитесь с тревогой: {checks}. До этого выводу верить нельзя.",
        "en": "First explain the alarm: {checks}. Until then the verdict cannot be trusted.",
    },
    "change_worst_holds": {
        "ru": "Неполные пары (их {n}) вывода не изменят: даже в худшем случае разница "
        "{low}…{high}.",
        "en": "Incomplete pairs ({n}) would not change it: even at worst the difference is {low} "
        "to {high}.",
    },
    "change_worst_breaks": {
        "ru": "Неполные пары (их {n}) могли бы изменить вывод: в крайних случаях разница "
        "{low}…{high}.",
        "en": "Incomplete pairs ({n}) could change it: at the extremes the difference is {low} to "
        "{high}.",
    },
    "change_more_pairs": {
        "ru": "Изменит вывод время: нужны ещё полные пары при том же устройстве опыта.",
        "en": "Time will tell: more complete pairs under the same design are needed.",
    },
    "change_small_effect": {
        "ru": "Пар уже хватает для разницы величиной с границу; меньшую покажет только более "
        "долгий опыт.",
        "en": "There are enough pairs for a difference as large as the margin; a smaller one takes "
        "a longer experiment.",
    },
    "change_turned": {
        "ru": "После решения разница сменила знак: на взгляде {look} она была {then}, по всем "
        "парам {effect}. О нынешнем положении вывод не говорит.",
        "en": "Since the decision the difference has changed its sign: it was {then} at look "
        "{look}, over all pairs it is {effect}. The verdict does not speak of the present.",
    },
    "change_replication": {
        "ru": "Изменить вывод мог бы новый, отдельно зарегистрированный опыт.",
        "en": "A fresh, separately registered experiment could change it.",
    },
    "left_decided": {
        "ru": "Для этого вывода больше пар не нужно.",
        "en": "No more pairs are needed for this verdict.",
    },
    "left_turned": {
        "ru": "Решение по плану остаётся; что верно теперь, покажет только новый, отдельно "
        "зарегистрированный опыт.",
        "en": "The plan's decision stands; what holds now only a fresh, separately registered "
        "experiment can show.",
    },
    "left_enough": {
        "ru": "Пар достаточно для разницы в {margin} (разброс пары {sigma}).",
        "en": "There are enough pairs for a difference of {margin} (spread of a pair {sigma}).",
    },
    "left_looks": {
        "ru": "Пар достаточно для разницы в {margin}; до конца плана взглядов осталось: {looks}.",
        "en": "There are enough pairs for a difference of {margin}; looks left in the plan: "
        "{looks}.",
    },
    "left_not_worse": {
        "ru": "Чтобы отличить «лучше» (разницу {margin}, разброс пары {sigma}), нужно ещё полных "
        "пар: "
        "{still}; недель при нынешнем темпе: {weeks}.",
        "en": 'To tell "better" (a difference of {margin}, spread of a pair {sigma}) complete '
        "pairs still needed: {still}; weeks at the present rate: {weeks}.",
    },
    "left_no_rate": {
        "ru": "Нужно ещё полных пар: {still} (разница {margin}, разброс пары {sigma}); при "
        "нынешнем "
        "темпе срок назвать нельзя.",
        "en": "Complete pairs still needed: {still} (difference {margin}, spread of a pair "
        "{sigma}); no date can be named at the present rate.",
    },
    "left_weeks": {
        "ru": "Нужно ещё полных пар: {still} (разница {margin}, разброс пары {sigma}); недель при "
        "нынешнем темпе: {weeks}.",
        "en": "Complete pairs still needed: {still} (difference {margin}, spread of a pair "
        "{sigma}); weeks at the present rate: {weeks}.",
    },
}

REASONS: Texts = {
    "pending": {"ru": "ещё не вышел или не измерен", "en": "still to be published or measured"},
    "twin_missing": {"ru": "нет второго поста пары", "en": "its twin in the pair is missing"},
    "not_paired": {
        "ru": "вне пар: в показателях есть, в сравнении нет",
        "en": "outside the pairs: in the metrics, not in the comparison",
    },
    "row_missing": {"ru": "строки поста нет", "en": "the post's row is missing"},
    "stuck": {"ru": "не отправлен в срок", "en": "not sent in time"},
    "expired": {"ru": "просрочен", "en": "expired"},
    "failed": {"ru": "не отправлен: ошибка", "en": "failed to send"},
    "missed": {"ru": "слот пропущен", "en": "slot missed"},
    "dropped": {"ru": "снят хозяином", "en": "dropped by the owner"},
    "cancelled": {"ru": "отменён", "en": "cancelled"},
    "deleted": {"ru": "удалён", "en": "deleted"},
    "skipped": {"ru": "пропущен", "en": "skipped"},
    "rejected": {"ru": "отклонён", "en": "rejected"},
    "no_snapshot": {
        "ru": "нет замера в нужном возрасте",
        "en": "no snapshot at the registered age",
    },
    "no_reactions": {
        "ru": "нет ни положительных, ни отрицательных реакций",
        "en": "no positive or negative reactions",
    },
    "no_posts": {"ru": "нет постов", "en": "no posts"},
    "nothing_offered": {"ru": "ничего не предлагали", "en": "nothing was offered"},
    "members_unknown": {"ru": "число подписчиков неизвестно", "en": "members unknown"},
    "no_units": {"ru": "считать не по чему", "en": "nothing to count"},
    "no_informative_strata": {
        "ru": "ни у одного партнёра нет обеих групп и разных исходов",
        "en": "no partner has both arms and both outcomes",
    },
    "fewer_than_two_channels": {
        "ru": "нужно хотя бы два канала",
        "en": "at least two channels are needed",
    },
    "no_variation": {"ru": "все значения одинаковы", "en": "all values are the same"},
    "secret_not_published": {
        "ru": "секрет публикуется после конца опыта",
        "en": "the secret is published after the end",
    },
    "too_few": {"ru": "слишком мало данных", "en": "too few data"},
    "not_recorded": {"ru": "не записано для обеих групп", "en": "not recorded for both arms"},
}

CHECKS: Texts = {
    "coins": {"ru": "жеребьёвка пересчитана", "en": "coins re-derived"},
    "order": {"ru": "порядок групп в парах", "en": "order of arms in pairs"},
    "split": {"ru": "поровну слотов на группу", "en": "as many slots for each arm"},
    "attrition": {"ru": "потери постов по группам", "en": "posts lost, by arm"},
    "balance_hour": {"ru": "баланс по часам", "en": "balance by hour"},
    "balance_weekday": {"ru": "баланс по дням недели", "en": "balance by weekday"},
    "balance_topic": {"ru": "баланс по темам", "en": "balance by topic"},
    "balance_template": {"ru": "баланс по шаблонам", "en": "balance by template"},
    "carry_over": {"ru": "след предыдущего поста", "en": "effect of the previous post"},
    "novelty": {"ru": "изменение эффекта по неделям", "en": "drift of the effect over weeks"},
    "members": {"ru": "подписчики каналов", "en": "members of the channels"},
}

PROBLEMS: Texts = {
    "unreadable": {"ru": "файл не читается ({why}).", "en": "the file cannot be read ({why})."},
    "empty_file": {"ru": "файл пуст.", "en": "the file is empty."},
    "no_table": {
        "ru": "в файле нулевые байты: это не таблица из текста или UTF-16 без метки.",
        "en": "the file has zero bytes: it is no table of text, or UTF-16 without its mark.",
    },
    "cell_too_long": {
        "ru": "ячейка длиннее {limit} знаков.",
        "en": "a cell is longer than {limit} characters.",
    },
    "header_again": {"ru": "заголовок повторён.", "en": "the header is repeated."},
    "loose_quote": {
        "ru": "кавычка стоит не на месте и склеила со строкой следующие строки файла: {lines}.",
        "en": "a quote out of place joins the file's next lines to this row: {lines}.",
    },
    "mixed_encoding": {
        "ru": "в Windows-1251, а остальные в UTF-8.",
        "en": "in Windows-1251 while the others are in UTF-8.",
    },
    "cell_unread": {
        "ru": "{column} — {value!r}, а не целое число от нуля.",
        "en": "{column} is {value!r}, no whole number from zero up.",
    },
    "no_rows": {
        "ru": "под заголовком нет ни одной строки.",
        "en": "there is no row below the header.",
    },
    "missing_column": {"ru": "нет столбца {column}.", "en": "the column {column} is missing."},
    "doubled_column": {"ru": "столбец {column} дважды.", "en": "the column {column} occurs twice."},
    "open_quote": {
        "ru": "кавычка не закрыта и поглотила строк: {lines}.",
        "en": "a quote is never closed and holds the lines that follow: {lines}.",
    },
    "ragged_row": {
        "ru": "в строке ячеек {has}, в заголовке {needs}.",
        "en": "the row has {has} cells, the header {needs}.",
    },
    "empty_cell": {"ru": "{column} пуст.", "en": "{column} is empty."},
    "unknown_arm": {"ru": "неизвестная группа {value!r}.", "en": "unknown arm {value!r}."},
    "unknown_status": {
        "ru": "неизвестное состояние {value!r}.",
        "en": "unknown status {value!r}.",
    },
    "not_a_count": {
        "ru": "{column} — {value!r}, а не целое число.",
        "en": "{column} is {value!r}, not a whole number.",
    },
    "count_too_large": {
        "ru": "{column} — {value}, больше 10¹².",
        "en": "{column} is {value}, above 10¹².",
    },
    "negative_count": {
        "ru": "{column} отрицательно: {value}.",
        "en": "{column} is negative: {value}.",
    },
    "bad_window": {
        "ru": "{column} — {value!r}, а не число часов больше нуля.",
        "en": "{column} is {value!r}, not a number of hours above zero.",
    },
    "bad_time": {
        "ru": "{column} — {value!r}, такого времени нет.",
        "en": "{column} is {value!r}, no such time.",
    },
    "bad_week": {
        "ru": "{column} — {value!r}, такой недели нет.",
        "en": "{column} is {value!r}, no such week.",
    },
    "week_label": {
        "ru": "week = {value!r} — не ISO-неделя и не номер, как у остальных.",
        "en": "week is {value!r}, neither an ISO week nor a number like the others.",
    },
    "week_disagrees": {
        "ru": "week = {value!r}, а slot_utc — из другой недели.",
        "en": "week is {value!r} while slot_utc is of another week.",
    },
    "no_week": {"ru": "нет ни week, ни slot_utc.", "en": "neither week nor slot_utc is given."},
    "likes_above_views": {
        "ru": "лайков {likes} больше, чем просмотров {views}.",
        "en": "likes ({likes}) are above views ({views}).",
    },
    "views_not_counted": {
        "ru": "лайков {likes}, а просмотров 0.",
        "en": "likes are {likes} but views are 0.",
    },
    "bad_accepted": {
        "ru": "{column} — {value!r}.",
        "en": "{column} is {value!r}.",
    },
    "duplicate_same": {
        "ru": "{column} {value!r} повторён без изменений.",
        "en": "{column} {value!r} is repeated unchanged.",
    },
    "duplicate_differs": {
        "ru": "{column} {value!r} повторён с разными данными.",
        "en": "{column} {value!r} is repeated with different data.",
    },
    "mixed_window": {
        "ru": "window_h = {value}, а считается {expected}.",
        "en": "window_h is {value} while {expected} counts.",
    },
    "window_unknown": {
        "ru": "реакции есть, а window_h пуст.",
        "en": "there are reactions but window_h is empty.",
    },
    "pair_too_many": {
        "ru": "в паре {pair!r} постов {size}, а не два.",
        "en": "the pair {pair!r} has {size} posts, not two.",
    },
    "pair_one_arm": {
        "ru": "в паре {pair!r} оба поста одной группы ({arm}).",
        "en": "both posts of the pair {pair!r} are of one arm ({arm}).",
    },
    "pair_two_channels": {
        "ru": "посты пары {pair!r} из разных каналов.",
        "en": "the posts of the pair {pair!r} are of different channels.",
    },
    "bom": {"ru": "в начале файла метка BOM.", "en": "the file starts with a BOM."},
    "encoding": {"ru": "файл в кодировке {encoding}.", "en": "the file is in {encoding}."},
    "separator": {
        "ru": "столбцы разделены знаком {separator}.",
        "en": "columns are separated by {separator}.",
    },
}

_SET_ASIDE = {
    "ru": "Исправьте строку и повторите; сейчас она отложена.",
    "en": "Correct the row and run again; for now it is set aside.",
}
_READ = {"ru": "Прочитано; делать ничего не нужно.", "en": "Read as it is; nothing to do."}
_PAIR = {
    "ru": "Исправьте pair_id или arm; сейчас отложены все посты пары.",
    "en": "Correct pair_id or arm; for now all posts of the pair are set aside.",
}

REMEDIES: Texts = {
    "unreadable": {"ru": "Проверьте путь и права.", "en": "Check the path and its permissions."},
    "no_table": {
        "ru": "Сохраните таблицу как CSV в UTF-8.",
        "en": "Save the table as CSV in UTF-8.",
    },
    "cell_too_long": {
        "ru": "Проверьте кавычки; лишний текст уберите.",
        "en": "Check the quotes; take the needless text out.",
    },
    "header_again": {
        "ru": "Строка пропущена; делать ничего не нужно.",
        "en": "The row is skipped; nothing to do.",
    },
    "loose_quote": {
        "ru": "Исправьте кавычки и повторите; сейчас все эти строки отложены.",
        "en": "Correct the quotes and run again; for now all these lines are set aside.",
    },
    "mixed_encoding": {
        "ru": "Прочитано то и другое; проверьте названия и сохраните всё в UTF-8.",
        "en": "Both are read; check the names, and save all in UTF-8.",
    },
    "cell_unread": {
        "ru": "Считается неизвестным; остальное в строке учтено.",
        "en": "It counts as unknown; the rest of the row is kept.",
    },
    "no_rows": {
        "ru": "Анализировать нечего; если строки должны быть, проверьте выгрузку.",
        "en": "There is nothing to analyse; if there should be rows, check the export.",
    },
    "empty_file": {
        "ru": "Нужна первая строка: {columns}",
        "en": "The first line must be: {columns}",
    },
    "missing_column": {
        "ru": "Добавьте его в первую строку и в данные.",
        "en": "Add it to the first line and to the data.",
    },
    "doubled_column": {"ru": "Оставьте один.", "en": "Keep one of them."},
    "open_quote": {
        "ru": "Закройте кавычку и повторите; сейчас отложено всё от неё до конца файла.",
        "en": "Close the quote and run again; for now all from it to the end is set aside.",
    },
    "ragged_row": {
        "ru": "Проверьте кавычки и разделители; сейчас строка отложена.",
        "en": "Check quotes and separators; for now the row is set aside.",
    },
    "empty_cell": _SET_ASIDE,
    "unknown_arm": {
        "ru": "Напишите одно из: {allowed}; сейчас строка отложена.",
        "en": "Write one of: {allowed}; for now the row is set aside.",
    },
    "unknown_status": {
        "ru": "Напишите одно из: {allowed}; сейчас строка отложена.",
        "en": "Write one of: {allowed}; for now the row is set aside.",
    },
    "not_a_count": _SET_ASIDE,
    "negative_count": _SET_ASIDE,
    "count_too_large": _SET_ASIDE,
    "bad_window": _SET_ASIDE,
    "bad_time": {
        "ru": "Напишите как 2026-11-16T09:00:00+00:00; сейчас строка отложена.",
        "en": "Write it as 2026-11-16T09:00:00+00:00; for now the row is set aside.",
    },
    "bad_week": {
        "ru": "Напишите как 2026-W47 или оставьте пустым; сейчас строка отложена.",
        "en": "Write it as 2026-W47 or leave it empty; for now the row is set aside.",
    },
    "week_label": {
        "ru": "Прочитано; недели идут по порядку времени. Надёжнее писать 2026-W47.",
        "en": "Read as it is; the weeks count in order of time. Writing 2026-W47 is safer.",
    },
    "week_disagrees": {
        "ru": "Считается week; исправьте то, что неверно.",
        "en": "The week counts; correct whichever is wrong.",
    },
    "no_week": {
        "ru": "Дайте неделю (2026-W47) или время; сейчас строка отложена.",
        "en": "Give the week (2026-W47) or the time; for now the row is set aside.",
    },
    "likes_above_views": {
        "ru": "Проверьте замер или очистите views; сейчас строка отложена.",
        "en": "Check the snapshot or clear views; for now the row is set aside.",
    },
    "views_not_counted": {
        "ru": "Просмотры считаются неизвестными; реакции остались.",
        "en": "Views count as unknown; the reactions are kept.",
    },
    "bad_accepted": {
        "ru": "Напишите 1, 0 или оставьте пустым (молчание); сейчас строка отложена.",
        "en": "Write 1, 0 or leave it empty (silence); for now the row is set aside.",
    },
    "duplicate_same": {
        "ru": "Оставлена строка {kept}; лишнюю удалите.",
        "en": "Row {kept} is kept; delete the others.",
    },
    "duplicate_differs": {
        "ru": "Оставьте верную; сейчас отложены все.",
        "en": "Keep the right one; for now all are set aside.",
    },
    "mixed_window": {
        "ru": "Возьмите замеры одного возраста; сейчас эти строки отложены.",
        "en": "Take snapshots of one age; for now these rows are set aside.",
    },
    "window_unknown": {
        "ru": "Считаются замерами нужного возраста; если это не так, впишите возраст.",
        "en": "They count as of the registered age; if they are not, fill in the age.",
    },
    "pair_too_many": _PAIR,
    "pair_one_arm": _PAIR,
    "pair_two_channels": _PAIR,
    "bom": _READ,
    "encoding": {
        "ru": "Прочитано; надёжнее сохранять в UTF-8.",
        "en": "Read as it is; UTF-8 is safer.",
    },
    "separator": _READ,
}

//! Emoji by the names that Slack writes for them.

use crate::text::until;

/// `:name:` as the emoji, where it is one of the common ones.
pub(super) fn emojis(piece: &str) -> String {
    if !piece.contains(':') {
        return piece.to_owned();
    }
    let mut out = String::with_capacity(piece.len());
    let mut rest = piece;
    while let Some((before, from)) = rest.split_once(':') {
        out.push_str(before);
        let name = until(from, ":", 100);
        match name.and_then(|(name, after)| Some((known(name)?, after))) {
            Some((emoji, after)) => {
                out.push_str(emoji);
                // A tone of skin is a second name.
                rest = after.strip_prefix(":skin-tone-").and_then(|s| s.split_once(':')).map_or(after, |(_, s)| s);
            }
            None => {
                out.push(':');
                rest = from;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The emoji of a reaction's name, or `:name:`.
pub(super) fn emoji(name: &str) -> String {
    let plain = name.split("::").next().unwrap_or(name);
    known(plain).map_or_else(|| format!(":{plain}:"), str::to_owned)
}

/// `1f44d-1f3fb` as its character.
pub(super) fn unicode(hex: &str) -> Option<String> {
    let letters: Option<String> =
        hex.split('-').map(|h| u32::from_str_radix(h, 16).ok().and_then(char::from_u32)).collect();
    letters.filter(|l| !l.is_empty())
}

fn known(name: &str) -> Option<&'static str> {
    EMOJI.iter().find(|(known, _)| *known == name).map(|(_, emoji)| *emoji)
}

/// What people use most; the rest keeps its name.
#[rustfmt::skip]
const EMOJI: &[(&str, &str)] = &[
    ("+1", "👍"), ("thumbsup", "👍"), ("-1", "👎"), ("thumbsdown", "👎"), ("heart", "❤️"), ("joy", "😂"),
    ("smile", "😄"), ("smiley", "😃"), ("grinning", "😀"), ("grin", "😁"), ("laughing", "😆"), ("satisfied", "😆"),
    ("sweat_smile", "😅"), ("rolling_on_the_floor_laughing", "🤣"), ("slightly_smiling_face", "🙂"), ("blush", "😊"),
    ("wink", "😉"), ("heart_eyes", "😍"), ("smiling_face_with_3_hearts", "🥰"), ("kissing_heart", "😘"),
    ("stuck_out_tongue", "😛"), ("stuck_out_tongue_winking_eye", "😜"), ("thinking_face", "🤔"), ("neutral_face", "😐"),
    ("expressionless", "😑"), ("face_with_rolling_eyes", "🙄"), ("smirk", "😏"), ("disappointed", "😞"), ("cry", "😢"),
    ("sob", "😭"), ("scream", "😱"), ("open_mouth", "😮"), ("astonished", "😲"), ("flushed", "😳"), ("angry", "😠"),
    ("rage", "😡"), ("sunglasses", "😎"), ("hugging_face", "🤗"), ("upside_down_face", "🙃"), ("sleeping", "😴"),
    ("exploding_head", "🤯"), ("partying_face", "🥳"), ("pleading_face", "🥺"), ("saluting_face", "🫡"), ("wave", "👋"),
    ("clap", "👏"), ("raised_hands", "🙌"), ("pray", "🙏"), ("muscle", "💪"), ("ok_hand", "👌"), ("point_up", "☝️"),
    ("point_right", "👉"), ("point_left", "👈"), ("point_down", "👇"), ("raised_hand", "✋"), ("crossed_fingers", "🤞"),
    ("eyes", "👀"), ("tada", "🎉"), ("fire", "🔥"), ("100", "💯"), ("rocket", "🚀"), ("star", "⭐"), ("star2", "🌟"),
    ("sparkles", "✨"), ("white_check_mark", "✅"), ("heavy_check_mark", "✔️"), ("x", "❌"), ("warning", "⚠️"),
    ("exclamation", "❗"), ("question", "❓"), ("bulb", "💡"), ("bug", "🐛"), ("coffee", "☕"), ("beers", "🍻"), ("beer", "🍺"),
    ("pizza", "🍕"), ("cake", "🍰"), ("birthday", "🎂"), ("gift", "🎁"), ("christmas_tree", "🎄"), ("sunny", "☀️"),
    ("rainbow", "🌈"), ("snowflake", "❄️"), ("broken_heart", "💔"), ("blue_heart", "💙"), ("green_heart", "💚"),
    ("yellow_heart", "💛"), ("purple_heart", "💜"), ("see_no_evil", "🙈"), ("man-shrugging", "🤷‍♂️"), ("woman-shrugging", "🤷‍♀️"),
    ("shrug", "🤷"), ("facepalm", "🤦"), ("skull", "💀"), ("poop", "💩"), ("hankey", "💩"), ("ghost", "👻"), ("robot_face", "🤖"),
    ("calendar", "📆"), ("memo", "📝"), ("email", "📧"), ("phone", "☎️"), ("lock", "🔒"), ("key", "🔑"), ("link", "🔗"),
    ("mag", "🔍"), ("hourglass", "⌛"), ("zap", "⚡"), ("boom", "💥"), ("moneybag", "💰"), ("trophy", "🏆"), ("dog", "🐶"), ("cat", "🐱"),
];

//! Words of Converse and what they mean between formats.

use crate::ir::{Media, Stop, StopReason, Usage};

use super::field::Field;

/// Formats of pieces and their media types. The first of a media type is the one that is written.
const FORMATS: &[(Media, &str, &str)] = &[
    (Media::Image, "png", "image/png"),
    (Media::Image, "jpeg", "image/jpeg"),
    (Media::Image, "jpeg", "image/jpg"),
    (Media::Image, "gif", "image/gif"),
    (Media::Image, "webp", "image/webp"),
    (Media::Document, "pdf", "application/pdf"),
    (Media::Document, "csv", "text/csv"),
    (Media::Document, "doc", "application/msword"),
    (Media::Document, "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (Media::Document, "xls", "application/vnd.ms-excel"),
    (Media::Document, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (Media::Document, "html", "text/html"),
    (Media::Document, "txt", "text/plain"),
    (Media::Document, "md", "text/markdown"),
    (Media::Video, "mkv", "video/x-matroska"),
    (Media::Video, "mov", "video/quicktime"),
    (Media::Video, "mp4", "video/mp4"),
    (Media::Video, "webm", "video/webm"),
    (Media::Video, "flv", "video/x-flv"),
    (Media::Video, "mpeg", "video/mpeg"),
    (Media::Video, "mpg", "video/mpg"),
    (Media::Video, "wmv", "video/x-ms-wmv"),
    (Media::Video, "wmv", "video/wmv"),
    (Media::Video, "three_gp", "video/3gpp"),
    (Media::Audio, "mp3", "audio/mp3"),
    (Media::Audio, "mp3", "audio/mpeg"),
    (Media::Audio, "wav", "audio/wav"),
    (Media::Audio, "wav", "audio/x-wav"),
    (Media::Audio, "opus", "audio/opus"),
    (Media::Audio, "aac", "audio/aac"),
    (Media::Audio, "flac", "audio/flac"),
    (Media::Audio, "mp4", "audio/mp4"),
    (Media::Audio, "ogg", "audio/ogg"),
    (Media::Audio, "mka", "audio/x-matroska"),
    (Media::Audio, "m4a", "audio/m4a"),
    (Media::Audio, "pcm", "audio/pcm"),
    (Media::Audio, "webm", "audio/webm"),
];

/// Returns Converse's word for a media type. Parameters (`; charset=utf-8`) do not count.
pub(super) fn format_of(media: Media, media_type: &str) -> Option<&'static str> {
    let plain = media_type.split(';').next().unwrap_or_default().trim();
    let found = FORMATS.iter().find(|(kind, _, known)| *kind == media && plain.eq_ignore_ascii_case(known));
    found.map(|(_, format, _)| *format)
}

/// Returns the word itself if Converse knows it.
pub(super) fn known_format(media: Media, word: &str) -> Option<&'static str> {
    let found = FORMATS.iter().find(|(kind, format, _)| *kind == media && format.eq_ignore_ascii_case(word));
    found.map(|(_, format, _)| *format)
}

/// Returns the media type of Converse's word. Some clients say the media type itself (recorded: `video/mp4`).
pub(super) fn media_type_of(media: Media, format: &str) -> String {
    let found = FORMATS.iter().find(|(kind, known, _)| *kind == media && *known == format);
    match found {
        Some((_, _, media_type)) => (*media_type).to_owned(),
        None if format.contains('/') => format.to_ascii_lowercase(),
        None => {
            let kind = match media {
                Media::Image => "image",
                Media::Audio => "audio",
                Media::Video => "video",
                Media::Document => "application",
            };
            format!("{kind}/{}", format.to_ascii_lowercase())
        }
    }
}

/// Makes the end of an answer of Bedrock's word. `called`: the answer has a call of a tool that the caller runs.
pub(super) fn stop(word: &str, called: bool, sequence: Option<String>) -> Stop {
    let own = || Some(word.to_owned());
    let (reason, native) = match word {
        "end_turn" | "tool_use" => (StopReason::End, None),
        "stop_sequence" => (StopReason::Sequence, None),
        "max_tokens" => (StopReason::Length, None),
        "model_context_window_exceeded" => (StopReason::ContextWindow, None),
        "content_filtered" => (StopReason::Filtered, None),
        "guardrail_intervened" => (StopReason::Filtered, own()),
        "malformed_model_output" | "malformed_tool_use" => (StopReason::Failed, own()),
        _ => (StopReason::End, own()),
    };
    let reason = if reason == StopReason::End && called { StopReason::ToolUse } else { reason };
    Stop { reason, native, sequence: sequence.filter(|_| reason == StopReason::Sequence) }
}

/// Returns Bedrock's word for the end of an answer.
pub(super) fn stop_word(stop: &Stop) -> &'static str {
    match stop.reason {
        StopReason::End | StopReason::Paused => "end_turn",
        StopReason::Sequence => "stop_sequence",
        StopReason::Length => "max_tokens",
        StopReason::ContextWindow => "model_context_window_exceeded",
        StopReason::ToolUse => "tool_use",
        StopReason::Filtered => "content_filtered",
        StopReason::Failed => "malformed_model_output",
    }
}

/// Reads a usage object. Bedrock counts tokens of a cache beside `inputTokens`, reasoning within `outputTokens`.
pub(super) fn read_usage(usage: &Field<'_>) -> Usage {
    let count = |key: &str| usage.get(key).and_then(|count| count.count().ok());
    let details = usage.get("cacheDetails").and_then(|details| details.list().ok()).unwrap_or_default();
    let hour = details
        .iter()
        .filter(|detail| detail.text_of("ttl").is_ok_and(|ttl| ttl.as_deref() == Some("1h")))
        .filter_map(|detail| detail.get("inputTokens")?.count().ok())
        .fold(0_u64, u64::saturating_add);
    // The names that end with `Count` are older; both are sent, and say the same.
    let cached = |key: &str| count(key).or_else(|| count(&format!("{key}Count"))).unwrap_or_default();
    Usage {
        input: count("inputTokens").unwrap_or_default(),
        cache_read: cached("cacheReadInputTokens"),
        cache_write: cached("cacheWriteInputTokens"),
        cache_write_1h: hour,
        output: count("outputTokens").unwrap_or_default(),
        ..Usage::default()
    }
}

/// Writes a usage object; one that nobody said is zeros, because clients demand it.
pub(super) fn write_usage(usage: Option<Usage>) -> String {
    let usage = usage.unwrap_or_default();
    let Usage { input, cache_read, cache_write, cache_write_1h, output, .. } = usage;
    let total = usage.total();
    let mut details = String::new();
    if cache_write > 0 {
        let short = cache_write.saturating_sub(cache_write_1h);
        let each = [("1h", cache_write_1h), ("5m", short)];
        let each = each.iter().filter(|(_, tokens)| *tokens > 0);
        let each = each.map(|(ttl, tokens)| format!(r#"{{"inputTokens":{tokens},"ttl":"{ttl}"}}"#));
        details = format!(r#""cacheDetails":[{}],"#, each.collect::<Vec<_>>().join(","));
    }
    format!(
        r#"{{{details}"cacheReadInputTokens":{cache_read},"cacheWriteInputTokens":{cache_write},"inputTokens":{input},"outputTokens":{output},"totalTokens":{total}}}"#
    )
}

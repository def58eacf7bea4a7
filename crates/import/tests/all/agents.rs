//! Coding agents and chats with AIs: published fixtures, and samples written from the descriptions of the
//! formats (formats.md §3–6) where no fixture exists or has the trap.

use crate::reading::{counts, fixture, items, items_of, options, shown};
use evoke_import::{Item, read};
use evoke_message::{Message, MessageId, Part, Role};
use std::{collections::HashSet, fs, ops::ControlFlow, path::Path};

/// Fixtures and the formats that must claim them.
const PUBLISHED: [(&str, &str); 23] = [
    ("claude_code/agent-sessions__agent-sessions-claude-schema_drift__schema_drift.jsonl", "claude_code"),
    ("claude_code/agent-sessions__agent-sessions-claude-small__small.jsonl", "claude_code"),
    ("claude_code/claude-code-log__representative_messages.jsonl", "claude_code"),
    ("claude_code/claude-code-log__session_b.jsonl", "claude_code"),
    ("claude_code/claude-code-log__todowrite_examples.jsonl", "claude_code"),
    ("codex/agent-sessions__agent-sessions-codex-schema_drift__schema_drift.jsonl", "codex"),
    ("codex/agent-sessions__codex_050_legacy.jsonl", "codex"),
    ("codex/agent-sessions__codex_053_rate_limit.jsonl", "codex"),
    ("codex/agent-sessions__session_toolcall.jsonl", "codex"),
    ("codex/polylogue__codex-session.jsonl", "codex"),
    ("codex/polylogue__functions_exec_single.jsonl", "codex"),
    ("codex/polylogue__interleaved_stream.jsonl", "codex"),
    ("codex/polylogue__tool_call_stream.jsonl", "codex"),
    ("gemini/agent-sessions__gemini-cli-small.json__small.json", "gemini_cli"),
    ("gemini/google_takeout_parser__takeout-chrome-html__MyActivity.html", "gemini"),
    ("gemini/knowledgemaxxing__km-myactivity-json__MyActivity.json", "gemini"),
    ("gemini/polylogue__aistudio-drive-hinted.json", "ai_studio"),
    ("gemini/polylogue__aistudio-drive.json", "ai_studio"),
    ("gemini/polylogue__code_execution_session.json", "ai_studio"),
    ("gemini/polylogue__multi_turn_prompt.json", "ai_studio"),
    ("gemini/polylogue__multimodal_session.json", "ai_studio"),
    ("grok/polylogue__grok-export.json", "grok"),
    ("chatgpt/polylogue__native-conversation-v1.json", "chatgpt"),
];

fn formats(path: &Path) -> Vec<&'static str> {
    let mut sink = |_: Item| ControlFlow::Continue(());
    let found = read(path, &options(), &mut sink, &mut |_, _| ());
    found.map(|formats| formats.iter().map(|f| f.key).collect()).unwrap_or_default()
}

#[test]
fn every_published_fixture_reads_as_before() {
    for (name, _) in PUBLISHED.iter().filter(|(name, _)| !name.starts_with("chatgpt")) {
        let file = name.rsplit('/').next().unwrap();
        insta::assert_snapshot!(name.replace('/', "__"), shown(&of_file(file, &fs::read(fixture(name)).unwrap())));
    }
}

#[test]
fn each_fixture_has_its_format() {
    for (name, key) in PUBLISHED {
        assert_eq!(formats(&fixture(name)), [key], "{name}");
    }
}

fn messages(items: &[Item]) -> Vec<&Message> {
    items.iter().filter_map(|i| if let Item::Message(m) = i { Some(m.as_ref()) } else { None }).collect()
}

fn ids(items: &[Item]) -> Vec<MessageId> {
    messages(items).iter().map(|m| m.id).collect()
}

/// What was said, by whom: only texts.
fn said(items: &[Item]) -> Vec<(Role, &str)> {
    messages(items).into_iter().filter(|m| m.part == Part::Text).map(|m| (m.role, m.text.as_str())).collect()
}

/// A folder `export` with these files, all of one time.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_790_000_000);
    for (name, content) in files {
        let path = folder.path().join("export").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    }
    folder
}

fn of_folder(files: &[(&str, &str)]) -> Vec<Item> {
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
    items(&folder(&files).path().join("export"), &options()).unwrap()
}

/// One file, of the same time.
fn of_file(name: &str, content: &[u8]) -> Vec<Item> {
    items(&folder(&[(name, content)]).path().join("export").join(name), &options()).unwrap()
}

/// Written from the description: a `.claude` folder with a session, its resumed copy, a subagent, titles
/// and the history of prompts.
fn claude_folder() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "projects/-home-x/00000000-0000-4000-8000-000000000001.jsonl",
            r#"{"type":"queue-operation","operation":"enqueue","content":"and then?","sessionId":"00000000-0000-4000-8000-000000000001","timestamp":"2025-12-01T10:00:03.000Z"}
{"parentUuid":null,"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"user","message":{"role":"user","content":"Fix the build [Image #1]"},"uuid":"aaaaaaaa-0000-4000-8000-000000000001","timestamp":"2025-12-01T10:00:00.000Z"}
{"parentUuid":"aaaaaaaa-0000-4000-8000-000000000001","isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"assistant","message":{"id":"msg_01abcdefghijklmnopqrstuv","role":"assistant","model":"claude-opus-5","content":[{"type":"thinking","thinking":"Hm.","signature":"x"}]},"requestId":"r1","uuid":"aaaaaaaa-0000-4000-8000-000000000002","timestamp":"2025-12-01T10:00:01.000Z"}
{"parentUuid":"aaaaaaaa-0000-4000-8000-000000000002","isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"assistant","message":{"id":"msg_01abcdefghijklmnopqrstuv","role":"assistant","model":"claude-opus-5","content":[{"type":"text","text":"I look at it."}]},"requestId":"r1","uuid":"aaaaaaaa-0000-4000-8000-000000000003","timestamp":"2025-12-01T10:00:02.000Z"}
{"parentUuid":"aaaaaaaa-0000-4000-8000-000000000003","isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"assistant","message":{"id":"msg_01abcdefghijklmnopqrstuv","role":"assistant","model":"claude-opus-5","content":[{"type":"text","text":"It is the linker."}]},"requestId":"r1","uuid":"aaaaaaaa-0000-4000-8000-000000000004","timestamp":"2025-12-01T10:00:02.500Z"}
{"type":"progress","data":{"type":"hook_progress"},"sessionId":"00000000-0000-4000-8000-000000000001","uuid":"p1","timestamp":"2025-12-01T10:00:02.600Z"}
{"parentUuid":"aaaaaaaa-0000-4000-8000-000000000004","isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"assistant","message":{"id":"msg_01abcdefghijklmnopqrstuv","role":"assistant","model":"claude-opus-5","content":[{"type":"tool_use","id":"t1","name":"Bash","input":{"command":"make"}}]},"requestId":"r1","uuid":"aaaaaaaa-0000-4000-8000-000000000005","timestamp":"2025-12-01T10:00:03.000Z"}
{"parentUuid":"aaaaaaaa-0000-4000-8000-000000000005","isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"user","message":{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"ok"}]}]},"toolUseResult":{"stdout":"ok"},"uuid":"aaaaaaaa-0000-4000-8000-000000000006","timestamp":"2025-12-01T10:00:04.000Z"}
{"type":"attachment","attachment":{"type":"queued_command","prompt":"and then?","commandMode":"prompt"},"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","uuid":"aaaaaaaa-0000-4000-8000-000000000007","timestamp":"2025-12-01T10:00:05.000Z"}
{"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"user","isMeta":true,"message":{"role":"user","content":"Caveat: The messages below were generated by the user"},"uuid":"aaaaaaaa-0000-4000-8000-000000000008","timestamp":"2025-12-01T10:00:06.000Z"}
{"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001","type":"user","message":{"role":"user","content":[{"type":"text","text":"<ide_opened_file>The user opened a.rs</ide_opened_file>"},{"type":"text","text":"look here"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]},"uuid":"aaaaaaaa-0000-4000-8000-000000000009","timestamp":"2025-12-01T10:00:07.000Z"}
{"isSidechain":false,"sessionId":"00000000-0000-4000-8000-000000000001","type":"user","message":{"role":"user","content":"[Request interrupted by user]"},"uuid":"aaaaaaaa-0000-4000-8000-00000000000a","timestamp":"2025-12-01T10:00:08.000Z"}
{"isSidechain":false,"sessionId":"00000000-0000-4000-8000-000000000001","type":"assistant","isApiErrorMessage":true,"message":{"id":"e","model":"<synthetic>","role":"assistant","content":[{"type":"text","text":"API Error"}]},"uuid":"aaaaaaaa-0000-4000-8000-00000000000b","timestamp":"2025-12-01T10:00:09.000Z"}
42
["x"]
{"type":"ai-title","sessionId":"00000000-0000-4000-8000-000000000001","aiTitle":"Broken build"}
{"type":"brand-new-kind","sessionId":"00000000-0000-4000-8000-000000000001"}
{"type":"user","message":{"role":"user","content":"cut off in the mid"#,
        ),
        (
            "projects/-home-x/00000000-0000-4000-8000-000000000002.jsonl",
            r#"{"type":"summary","summary":"A resumed session","leafUuid":"bbbbbbbb-0000-4000-8000-000000000002"}
{"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000002","type":"user","message":{"role":"user","content":"Fix the build [Image #1]"},"uuid":"aaaaaaaa-0000-4000-8000-000000000001","timestamp":"2025-12-01T10:00:00.000Z"}
{"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000002","type":"user","isCompactSummary":true,"message":{"role":"user","content":"This session is being continued from a previous conversation that ran out of context."},"uuid":"bbbbbbbb-0000-4000-8000-000000000001","timestamp":"2025-12-02T10:00:00.000Z"}
{"isSidechain":false,"cwd":"/home/x","sessionId":"00000000-0000-4000-8000-000000000002","type":"user","message":{"role":"user","content":"<command-message>review</command-message>\n<command-name>/review</command-name>\n<command-args>the diff please</command-args>"},"uuid":"bbbbbbbb-0000-4000-8000-000000000002","timestamp":"2025-12-02T10:00:01.000Z"}
"#,
        ),
        (
            "projects/-home-x/00000000-0000-4000-8000-000000000001/subagents/agent-a1b2c3d4e5f600001.jsonl",
            r#"{"parentUuid":null,"isSidechain":true,"agentId":"a1b2c3d4e5f600001","sessionId":"00000000-0000-4000-8000-000000000001","type":"user","message":{"role":"user","content":"Search the repo"},"uuid":"cccccccc-0000-4000-8000-000000000001","timestamp":"2025-12-01T10:00:03.500Z"}
{"parentUuid":"cccccccc-0000-4000-8000-000000000001","isSidechain":true,"agentId":"a1b2c3d4e5f600001","sessionId":"00000000-0000-4000-8000-000000000001","type":"assistant","message":{"id":"msg_01zzzzzzzzzzzzzzzzzzzzzz","role":"assistant","content":[{"type":"text","text":"Nothing there."}]},"uuid":"cccccccc-0000-4000-8000-000000000002","timestamp":"2025-12-01T10:00:03.700Z"}
"#,
        ),
        (
            "projects/-home-x/00000000-0000-4000-8000-000000000001/subagents/agent-a1b2c3d4e5f600001.meta.json",
            r#"{"agentType":"Explore","description":"Look for it"}"#,
        ),
        ("projects/-home-x/00000000-0000-4000-8000-000000000001/tool-results/x.txt", "long output of a tool\n"),
        (
            "history.jsonl",
            r#"{"display":"Fix the build [Image #1]","pastedContents":{},"timestamp":1764583200000,"project":"/home/x","sessionId":"00000000-0000-4000-8000-000000000001"}
{"display":"explain [Pasted text #1 +2 lines] to me","pastedContents":{"1":{"id":1,"type":"text","content":"a\nb"}},"timestamp":1760000000000,"project":"/home/y","sessionId":"00000000-0000-4000-8000-000000000009"}
{"display":"/clear","pastedContents":{},"timestamp":1760000001000,"project":"/home/y","sessionId":"00000000-0000-4000-8000-000000000009"}
{"display":"an old one","pastedContents":{},"timestamp":1750000001000,"project":"/home/y"}
"#,
        ),
        ("plugins/a/README.md", "# A plugin\n\nNobody's words.\n"),
        ("settings.json", "{}"),
    ]
}

#[test]
fn a_claude_folder() {
    insta::assert_snapshot!(shown(&of_folder(&claude_folder())));
}

#[test]
fn a_part_of_a_claude_folder_has_the_same_ids() {
    let files = claude_folder();
    let whole: HashSet<_> = ids(&of_folder(&files)).into_iter().collect();
    for (name, content) in files.iter().filter(|(name, _)| name.ends_with(".jsonl") && name.contains("0001")) {
        for file in [name.rsplit('/').next().unwrap(), "renamed.jsonl"] {
            let single = items_of(file, content.as_bytes()).unwrap();
            assert!(!ids(&single).is_empty());
            assert!(ids(&single).iter().all(|id| whole.contains(id)), "{name} {file}");
        }
    }
    let zipped: Vec<(&str, &[u8])> = files.iter().map(|(name, content)| (*name, content.as_bytes())).collect();
    let zip = crate::hostile::zip_of(&zipped, zip::CompressionMethod::Deflated);
    assert_eq!(ids(&items_of("claude.zip", &zip).unwrap()).into_iter().collect::<HashSet<_>>(), whole);
}

/// Written from the description: twins, injected words, a forked session and its history.
fn codex_folder() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "sessions/2025/11/01/rollout-2025-11-01T10-00-00-019fc8be-3658-7ca3-9e29-000000000001.jsonl",
            r##"{"timestamp":"2025-11-01T10:00:00.000Z","type":"session_meta","payload":{"id":"019fc8be-3658-7ca3-9e29-000000000001","timestamp":"2025-11-01T10:00:00.000Z","cwd":"/r","source":"cli"}}
{"timestamp":"2025-11-01T10:00:00.100Z","type":"response_item","payload":{"type":"message","role":"developer","content":[{"type":"input_text","text":"<permissions instructions>"}]}}
{"timestamp":"2025-11-01T10:00:00.200Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"# AGENTS.md instructions for /r\n\nBe good."}]}}
{"timestamp":"2025-11-01T10:00:00.300Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"<environment_context>\n<cwd>/r</cwd>\n</environment_context>"}]}}
{"timestamp":"2025-11-01T10:00:01.000Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"Fix it"}]}}
{"timestamp":"2025-11-01T10:00:01.001Z","type":"event_msg","payload":{"type":"user_message","message":"Fix it","images":[]}}
{"timestamp":"2025-11-01T10:00:02.000Z","type":"event_msg","payload":{"type":"agent_reasoning","text":"**Thinking**"}}
{"timestamp":"2025-11-01T10:00:02.001Z","type":"response_item","payload":{"type":"reasoning","summary":[{"type":"summary_text","text":"**Thinking**"},{"type":"summary_text","text":"More"}],"encrypted_content":"x"}}
{"timestamp":"2025-11-01T10:00:03.000Z","type":"response_item","payload":{"type":"function_call","name":"shell","arguments":"{\"command\":[\"ls\"]}","call_id":"c"}}
{"timestamp":"2025-11-01T10:00:04.000Z","type":"response_item","payload":{"type":"function_call_output","call_id":"c","output":"{\"output\":\"a.txt\",\"metadata\":{\"exit_code\":0}}"}}
{"timestamp":"2025-11-01T10:00:05.000Z","type":"event_msg","payload":{"type":"agent_message","message":"Done."}}
{"timestamp":"2025-11-01T10:00:05.001Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}]}}
{"timestamp":"2025-11-01T10:00:06.000Z","type":"event_msg","payload":{"type":"user_message","message":"Again"}}
{"timestamp":"2025-11-01T10:00:06.001Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"Again"}]}}
{"timestamp":"2025-11-01T10:00:07.000Z","type":"event_msg","payload":{"type":"agent_message","message":"Done."}}
{"timestamp":"2025-11-01T10:00:07.001Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}]}}
{"timestamp":"2025-11-01T10:00:08.000Z","type":"event_msg","payload":{"type":"token_count","info":null}}
{"timestamp":"2025-11-01T10:00:09.000Z","type":"compacted","payload":{"message":"Summary"}}
"##,
        ),
        (
            "sessions/2025/11/02/rollout-2025-11-02T10-00-00-019fc8be-3658-7ca3-9e29-000000000002.jsonl",
            r#"{"timestamp":"2025-11-02T10:00:00.000Z","type":"session_meta","payload":{"id":"019fc8be-3658-7ca3-9e29-000000000002","forked_from_id":"019fc8be-3658-7ca3-9e29-000000000001","timestamp":"2025-11-02T10:00:00.000Z"}}
{"timestamp":"2025-11-02T10:00:00.001Z","type":"session_meta","payload":{"id":"019fc8be-3658-7ca3-9e29-000000000001","timestamp":"2025-11-01T10:00:00.000Z"}}
{"timestamp":"2025-11-02T10:00:00.002Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"Fix it"}]}}
{"timestamp":"2025-11-02T10:00:00.003Z","type":"event_msg","payload":{"type":"user_message","message":"Fix it"}}
{"timestamp":"2025-11-02T10:00:00.004Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Done."}]}}
{"timestamp":"2025-11-02T10:00:05.000Z","type":"event_msg","payload":{"type":"user_message","message":"Something else"}}
{"timestamp":"2025-11-02T10:00:05.001Z","type":"response_item","payload":{"type":"message","role":"user","content":[{"type":"input_text","text":"Something else"}]}}
{"timestamp":"2025-11-02T10:00:06.000Z","type":"response_item","payload":{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Sure."}]}}
"#,
        ),
        (
            "sessions/2025/11/03/rollout-2025-11-03T10-00-00-019fc8be-3658-7ca3-9e29-000000000003.jsonl",
            r#"{"id":"019fc8be-3658-7ca3-9e29-000000000003","timestamp":"2025-06-03T10:00:00.000Z","instructions":null,"git":{"branch":"main"}}
{"record_type":"state"}
{"type":"message","id":null,"role":"user","content":[{"type":"input_text","text":"An old one"}]}
{"record_type":"state"}
{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"An old answer"}]}
"#,
        ),
        (
            "history.jsonl",
            "{\"session_id\":\"019fc8be-3658-7ca3-9e29-000000000001\",\"ts\":1761991201,\"text\":\"Fix it\"}\n{\"session_id\":\"gone\",\"ts\":1751991201,\"text\":\"Long ago\"}\n",
        ),
        (
            "session_index.jsonl",
            "{\"id\":\"019fc8be-3658-7ca3-9e29-000000000001\",\"thread_name\":\"The fix\",\"updated_at\":\"2025-11-01T10:00:00Z\"}\n",
        ),
        (
            "sessions/rollout-2025-01-01-old.json",
            r#"{"session":{"timestamp":"2025-04-17T10:00:00.000Z","id":"old-1","instructions":""},"items":[{"role":"user","content":[{"type":"input_text","text":"First"}],"type":"message"},{"id":"m","type":"message","role":"assistant","content":[{"type":"output_text","text":"Second"}]}]}"#,
        ),
        ("config.toml", "model = \"x\"\n"),
    ]
}

#[test]
fn a_codex_folder() {
    insta::assert_snapshot!(shown(&of_folder(&codex_folder())));
}

/// Written from the description: German HTML, several languages of dates, files, other products.
const ACTIVITY: &str = r#"<html><head><title>Meine Aktivitäten</title></head><body><div class="mdl-grid"><div class="outer-cell mdl-cell mdl-cell--12-col mdl-shadow--2dp"><div class="mdl-grid"><div class="header-cell mdl-cell mdl-cell--12-col"><p class="mdl-typography--title">Gemini-Apps<br></p></div><div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">Eingegebener Prompt:&nbsp;Was steht auf dem Bild?<br>1 Datei angehängt.<br>-&nbsp;<a href="image_1.png">image_1.png</a><br>13.11.2025, 09:50:57 MEZ<br><p>Ein <strong>Hund</strong>.</p><ul><li>braun</li></ul></div><div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1 mdl-typography--text-right"></div><div class="content-cell mdl-cell mdl-cell--12-col mdl-typography--caption"><b>Produkte:</b><br>&emsp;Gemini-Apps<br></div></div></div><div class="outer-cell mdl-cell mdl-cell--12-col mdl-shadow--2dp"><div class="mdl-grid"><div class="header-cell mdl-cell mdl-cell--12-col"><p class="mdl-typography--title">Gemini Apps<br></p></div><div class="content-cell mdl-cell mdl-cell--6-col mdl-typography--body-1">Prompted&nbsp;two lines<br>of &lt;b&gt;text&lt;/b&gt;<br>Nov 12, 2025, 9:50:57 AM CDT<br><p>First.</p><p>Second &amp; last.</p></div></div></div><div class="outer-cell mdl-cell"><div class="mdl-grid"><div class="header-cell"><p>Search<br></p></div><div class="content-cell mdl-cell--6-col">Searched for&nbsp;<a href="https://www.google.com/search?q=a">a</a><br>Nov 12, 2025, 9:50:57 AM CDT</div></div></div><div class="outer-cell mdl-cell"><div class="mdl-grid"><div class="header-cell"><p>Gemini Apps<br></p></div></div></div></body></html>"#;

/// The same records in JSON, and others.
const ACTIVITY_JSON: &str = r#"[{"header":"Gemini Apps","title":"Eingegebener Prompt: Was steht auf dem Bild?","time":"2025-11-13T08:50:57.123Z","products":["Gemini Apps"],"subtitles":[{"name":"Attached 1 file."},{"name":"-  image_1.png","url":"image_1.png"}],"imageFile":"image_1.png","safeHtmlItem":[{"html":"<p>Ein <strong>Hund</strong>.</p>"}]},
{"header":"Gemini Apps","title":"Prompted again and again","titleUrl":"https://gemini.google.com/app/abc123def","time":"2025-11-13T08:40:57.123Z","products":["Gemini Apps"],"safeHtmlItem":[{"html":"<p>one</p>"},{"html":"<p>two</p>"}]},
{"header":"Gemini Apps","title":"Gave feedback: Good response","time":"2025-11-13T08:30:57.123Z","products":["Gemini Apps"]},
{"header":"Gemini Apps","title":"Created Gemini Canvas titled Plan","time":"2025-11-13T08:20:57.123Z","products":["Gemini Apps"]},
{"header":"Bard","title":"Prompted hello","time":"2023-11-13T08:20:57.123Z","products":["Bard"]},
{"header":"YouTube","title":"Watched x","time":"2023-11-13T08:20:57.123Z","products":["YouTube"]},
{"nothing":1}]"#;

#[test]
fn activity_of_gemini() {
    let page = [
        ("Takeout/Meine Aktivitäten/Gemini-Apps/MeineAktivitäten.html", ACTIVITY),
        ("Takeout/Meine Aktivitäten/Gemini-Apps/image_1.png", "png"),
    ];
    let html = of_folder(&page);
    insta::assert_snapshot!("activity_in_html", shown(&html));
    let json = of_folder(&[("Takeout/My Activity/Gemini Apps/MyActivity.json", ACTIVITY_JSON)]);
    insta::assert_snapshot!("activity_in_json", shown(&json));
    let prompt = |items: &[Item]| messages(items).iter().find(|m| m.text.starts_with("Was steht")).unwrap().id;
    assert_eq!(prompt(&html), prompt(&json), "the same prompt in both kinds of file");
}

/// Written from the descriptions of §6 and of public tools that read these exports.
const OTHERS: [(&str, &str, &str); 16] = [
    (
        "deepseek",
        "conversations.json",
        r#"[{"id":"c1","title":"Robots","inserted_at":"2026-06-01T10:00:00.000000+08:00","updated_at":"2026-06-01T10:01:00.000000+08:00","mapping":{"root":{"id":"root","parent":null,"children":["1"],"message":null},"1":{"id":"1","parent":"root","children":["2","10"],"message":{"files":[{"file_name":"a.pdf"}],"model":"deepseek-chat","inserted_at":"2026-06-01T10:00:00.000000+08:00","fragments":[{"type":"REQUEST","content":"Hello"}]}},"2":{"id":"2","parent":"1","children":[],"message":{"model":"deepseek-reasoner","inserted_at":"2026-06-01T10:00:01.000000+08:00","fragments":[{"type":"THINK","content":"hm"},{"type":"SEARCH","results":[{"title":"T","url":"https://t.example"}]},{"type":"RESPONSE","content":"old"}]}},"10":{"id":"10","parent":"1","children":[],"message":{"inserted_at":"2026-06-01T10:00:09.000000+08:00","fragments":[{"type":"RESPONSE","content":"new"}]}}}}]"#,
    ),
    (
        "grok",
        "prod-grok-backend.json",
        r#"{"conversations":[{"conversation":{"id":"g1","title":"T","create_time":"2026-01-02T10:00:00.123456Z","modify_time":"2026-01-02T10:05:00Z"},"responses":[{"response":{"_id":"r1","conversation_id":"g1","message":"q","sender":"human","create_time":{"$date":{"$numberLong":"1767348000000"}},"parent_response_id":null}},{"response":{"_id":"r2","message":"a","sender":"ASSISTANT","create_time":{"$date":{"$numberLong":"1767348001000"}},"parent_response_id":"r1","thinking_trace":"hm"}},{"response":{"_id":"r3","message":"b","sender":"ASSISTANT","create_time":{"$date":{"$numberLong":"1767348002000"}},"parent_response_id":"r1"}}]},{"conversation":{"id":"g2","title":"empty","create_time":"2026-01-02T10:00:00Z"},"responses":[]}],"projects":[],"tasks":[]}"#,
    ),
    (
        "perplexity",
        "conversations.json",
        r#"{"conversations":[{"uuid":"p1","title":"What is rust?","updated_at":"2026-01-31T14:25:58Z","mode":"copilot","collection_uuid":null,"answers":[{"content":"A language.","created_at":"2026-01-31T14:25:58Z"}]}]}"#,
    ),
    (
        "perplexity",
        "thread.json",
        r#"{"status":"success","entries":[{"uuid":"e1","context_uuid":"t1","thread_title":"Rust","query_str":"what is rust?","entry_created_datetime":"2026-01-31T14:25:58","blocks":[{"intended_usage":"ask_text","markdown_block":{"answer":"A language."}}]}]}"#,
    ),
    (
        "mistral",
        "chat-1.json",
        r#"[{"id":"m1","version":0,"chatId":"mc","content":"Bonjour","contentChunks":null,"role":"user","createdAt":"2026-02-01T10:00:00.000Z","files":[{"name":"a.png","type":"image"}]},{"id":"m2","version":0,"chatId":"mc","content":"","contentChunks":[{"type":"text","text":"Salut "},{"type":"tool_call","name":"web","arguments":{"q":"x"}},{"type":"text","text":"toi"}],"role":"assistant","createdAt":"2026-02-01T10:00:01.000Z","parentId":"m1"}]"#,
    ),
    (
        "open_webui",
        "chat-export.json",
        r#"[{"id":"w1","user_id":"u","title":"Local","chat":{"title":"Local","models":["llama"],"history":{"currentId":"b","messages":{"a":{"id":"a","parentId":null,"childrenIds":["b"],"role":"user","content":"hi","timestamp":1767348000},"b":{"id":"b","parentId":"a","childrenIds":[],"role":"assistant","content":"<details type=\"reasoning\" done=\"true\">\n<summary>Thought for 1 second</summary>\n> hm\n</details>\nhello","model":"llama3","timestamp":1767348001}}},"messages":[]},"updated_at":1767348001,"created_at":1767348000}]"#,
    ),
    (
        "lm_studio",
        "1767348000000.conversation.json",
        r#"{"name":"Local chat","pinned":false,"createdAt":1767348000000,"preset":"","tokenCount":3,"systemPrompt":"","messages":[{"versions":[{"type":"singleStep","role":"user","content":[{"type":"text","text":"hi"}]}],"currentlySelected":0},{"versions":[{"type":"multiStep","role":"assistant","senderInfo":{"senderName":"qwen"},"steps":[{"type":"contentBlock","style":{"type":"thinking"},"content":[{"type":"text","text":"hm"}]},{"type":"contentBlock","content":[{"type":"text","text":"hello"}]}]}],"currentlySelected":0}]}"#,
    ),
    (
        "github_copilot",
        "chat.json",
        r#"{"version":3,"requesterUsername":"me","responderUsername":"GitHub Copilot","sessionId":"s1","creationDate":1767348000000,"lastMessageDate":1767348002000,"customTitle":"Sort","requests":[{"requestId":"request_1","message":{"parts":[],"text":"sort it"},"response":[{"value":"Use "},{"kind":"inlineReference","name":"sort"},{"value":".","supportThemeIcons":false},{"kind":"toolInvocationSerialized","toolId":"run","pastTenseMessage":{"value":"Ran it"}}],"timestamp":1767348000000}]}"#,
    ),
    (
        "microsoft_copilot",
        "copilot-activity-history.csv",
        "\u{feff}Conversation,Time,Author,Message\r\n\"Flags\",2026-07-26T23:20:56,AI,\"**Short:**\nyes\"\r\n\"Flags\",2026-07-26T23:20:56,Human,\"what is it?\"\r\n",
    ),
    (
        "ai_studio",
        "My prompt",
        r#"{"runSettings":{"temperature":1.0,"model":"models/gemini-3-pro"},"systemInstruction":{"text":"Answer in French."},"chunkedPrompt":{"chunks":[{"text":"Hello","role":"user","tokenCount":1,"inlineFile":{"mimeType":"image/png","data":"AAAA"}},{"text":"hm","role":"model","isThought":true},{"text":"Bonjour","role":"model","finishReason":"STOP","parts":[{"text":"Bon"},{"text":"jour"}]}],"pendingInputs":[{"text":"not sent","role":"user"}]}}"#,
    ),
    (
        "gemini_cli",
        "session-2026-04-29T21-39-x.jsonl",
        "{\"sessionId\":\"gs\",\"projectHash\":\"0b7d\",\"startTime\":\"2026-04-29T21:39:22.319Z\",\"lastUpdated\":\"2026-04-29T21:39:22.319Z\",\"kind\":\"main\"}\n{\"id\":\"u1\",\"timestamp\":\"2026-04-29T21:39:33.155Z\",\"type\":\"user\",\"content\":[{\"text\":\"Say hello and list files.\"}]}\n{\"$set\":{\"lastUpdated\":\"2026-04-29T21:39:33.156Z\"}}\n{\"id\":\"a1\",\"timestamp\":\"2026-04-29T21:39:35.125Z\",\"type\":\"gemini\",\"content\":\"\"}\n{\"id\":\"a1\",\"timestamp\":\"2026-04-29T21:39:35.125Z\",\"type\":\"gemini\",\"content\":\"Hello!\",\"thoughts\":[{\"subject\":\"S\",\"description\":\"d\"}],\"toolCalls\":[{\"id\":\"t\",\"name\":\"run_shell_command\",\"args\":{\"command\":\"ls -F\"},\"result\":[{\"functionResponse\":{\"response\":{\"output\":\"a.txt\"}}}]}]}\n{\"id\":\"i1\",\"timestamp\":\"2026-04-29T21:39:36.125Z\",\"type\":\"info\",\"content\":\"Request cancelled.\"}\n",
    ),
    (
        "gemini_cli",
        "logs.json",
        r#"[{"sessionId":"gone","messageId":0,"type":"user","message":"an old prompt","timestamp":"2026-01-29T21:39:33.155Z"},{"sessionId":"gone","messageId":1,"type":"user","message":"/quit","timestamp":"2026-01-29T21:39:34.155Z"}]"#,
    ),
    (
        "grok",
        "single.json",
        r#"{"conversation":{"title":"flat","create_time":1767348000},"responses":[{"sender":"human","message":"q","create_time":1767348001}]}"#,
    ),
    (
        "ai_chat",
        "chats.json",
        r#"{"conversations":[{"id":"x1","title":"Any","messages":[{"role":"user","content":"q","timestamp":"2026-01-02T10:00:00Z"},{"role":"assistant","content":[{"type":"text","text":"a"}],"timestamp":1767348001}]}]}"#,
    ),
    (
        "ai_chat",
        "bare.json",
        r#"[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"q"},7]"#,
    ),
    (
        "codex",
        "loose.jsonl",
        "{\"timestamp\":1767348000,\"role\":\"user\",\"content\":\"hi\"}\n{\"timestamp\":1767348001000,\"type\":\"tool_call\",\"function\":{\"name\":\"ls\"},\"arguments\":\"{}\"}\n{\"timestamp\":\"2026-01-02T10:00:02Z\",\"role\":\"assistant\",\"content\":\"hello\"}\n",
    ),
];

#[test]
fn other_services_read_as_before() {
    for (key, name, content) in OTHERS {
        let folder = folder(&[(name, content.as_bytes())]);
        assert_eq!(formats(&folder.path().join("export").join(name)), [key], "{name}");
        let found = of_file(name, content.as_bytes());
        let once: HashSet<_> = ids(&found).into_iter().collect();
        assert_eq!(once.len(), ids(&found).len(), "{key} {name}");
        insta::assert_snapshot!(format!("{key}__{}", name.replace(' ', "_")), shown(&found));
    }
}

/// Written from public descriptions of the database: both ways of keeping messages.
#[test]
fn a_cursor_database() {
    let folder = folder(&[]);
    let path = folder.path().join("state.vscdb");
    let database = rusqlite::Connection::open(&path).unwrap();
    let rows = [
        (
            "composerData:c1",
            r#"{"composerId":"c1","name":"Refactor","createdAt":1767348000000,"fullConversationHeadersOnly":[{"bubbleId":"b1","type":1},{"bubbleId":"b2","type":2},{"bubbleId":"gone","type":2}]}"#,
        ),
        ("bubbleId:c1:b1", r#"{"bubbleId":"b1","type":1,"text":"rename it","createdAt":"2026-01-02T10:00:01.000Z"}"#),
        (
            "bubbleId:c1:b2",
            r#"{"bubbleId":"b2","type":2,"text":"done","thinking":{"text":"hm"},"toolFormerData":{"name":"edit_file","rawArgs":"{\"path\":\"a.rs\"}","result":"{\"output\":\"ok\"}"}}"#,
        ),
        (
            "composerData:c2",
            r#"{"composerId":"c2","createdAt":1767348000000,"conversation":[{"bubbleId":"o1","type":1,"text":"old"},{"bubbleId":"o2","type":2,"text":""}]}"#,
        ),
        ("composerData:c3", r#"{"composerId":"c3","conversation":[]}"#),
        (
            "composerData:",
            r#"{"createdAt":1767348000000,"conversation":[{"bubbleId":"n1","type":1,"text":"without an id"}]}"#,
        ),
    ];
    database.execute_batch("CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB); CREATE TABLE cursorDiskKV (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)").unwrap();
    for (key, value) in rows {
        database.execute("INSERT INTO cursorDiskKV VALUES (?1, ?2)", [key, value]).unwrap();
    }
    drop(database);
    assert_eq!(formats(&path), ["cursor"]);
    insta::assert_snapshot!(shown(&items(&path, &options()).unwrap()));
}

#[test]
fn cuts_keep_what_was_said_before_them_and_never_panic() {
    let mut samples: Vec<(String, Vec<u8>)> =
        OTHERS.iter().map(|(_, name, content)| ((*name).to_owned(), content.as_bytes().to_vec())).collect();
    samples.push(("MyActivity.html".to_owned(), ACTIVITY.as_bytes().to_vec()));
    samples.push(("MyActivity.json".to_owned(), ACTIVITY_JSON.as_bytes().to_vec()));
    samples.extend(
        claude_folder()
            .into_iter()
            .take(1)
            .chain(codex_folder().into_iter().take(1))
            .map(|(_, c)| ("s.jsonl".to_owned(), c.as_bytes().to_vec())),
    );
    for (name, bytes) in samples {
        for at in (0..bytes.len()).step_by(29) {
            let _ = items_of(&name, &bytes[..at]);
            let mut flipped = bytes.clone();
            flipped[at] ^= [0x01, 0x20, 0x80][at % 3];
            let _ = items_of(&name, &flipped);
        }
        let mut lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
        lines.reverse();
        let _ = items_of(&name, &lines.join(&b'\n'));
    }
}

/// Largest resident memory of this process so far, in MiB.
#[cfg(target_os = "linux")]
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "200 MB each take a while; run it alone with --ignored --nocapture to see the numbers"]
fn large_files_are_never_held() {
    let cell = &ACTIVITY[ACTIVITY.find("<div class=\"outer-cell").unwrap()
        ..ACTIVITY.find("<div class=\"outer-cell mdl-cell\">").unwrap()];
    let line = |n: usize| {
        format!(
            "{{\"type\":\"user\",\"sessionId\":\"s\",\"uuid\":\"00000000-0000-4000-8000-{n:012}\",\"timestamp\":\"2025-12-01T10:00:00Z\",\"message\":{{\"role\":\"user\",\"content\":\"{n} {}\"}}}}\n",
            "words ".repeat(3000)
        )
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["s.jsonl", "MyActivity.html"] {
        // Written in pieces: what the test holds itself would hide what reading holds.
        let path = folder.path().join(name);
        let mut file = std::io::BufWriter::new(fs::File::create(&path).unwrap());
        let (mut size, mut n) = (0, 0);
        while size < 200 << 20 {
            let piece = if name == "s.jsonl" { line(n) } else { cell.to_owned() };
            std::io::Write::write_all(&mut file, piece.as_bytes()).unwrap();
            (size, n) = (size + piece.len(), n + 1);
        }
        drop(file);
        let size = size >> 20;
        let (before, started, mut seen) = (peak(), std::time::Instant::now(), 0);
        let mut sink = |item: Item| {
            seen += usize::from(matches!(item, Item::Message(_)));
            ControlFlow::Continue(())
        };
        read(&path, &options(), &mut sink, &mut |_, _| ()).unwrap();
        let grown = peak() - before;
        std::io::Write::write_all(
            &mut std::io::stderr(),
            format!("{name}: {size} MiB, {seen} messages, {grown} MiB more, {:.1?}\n", started.elapsed()).as_bytes(),
        )
        .unwrap();
        assert!(grown < 200, "{name} {grown}");
    }
}

#[test]
fn a_damaged_line_costs_one_line() {
    let (_, session) = claude_folder().swap_remove(0);
    let whole = items_of("s.jsonl", session.as_bytes()).unwrap();
    let broken = session.replacen("\"content\":\"Fix", "\"content\":Fix", 1);
    let items = items_of("s.jsonl", broken.as_bytes()).unwrap();
    assert_eq!(said(&items).len() + 1, said(&whole).len());
    let (_, skipped, failed) = counts(&whole);
    assert_eq!(counts(&items).1, skipped);
    assert_eq!(counts(&items).2, failed + 1);
}

#[test]
fn one_message_a_line() {
    let cursor = concat!(
        r#"{"role":"user","message":{"content":[{"type":"text","text":"<user_query>\nList the files.\n</user_query>"}]}}"#,
        "\n",
        r#"{"role":"assistant","message":{"content":[{"type":"text","text":"Running ls."},{"type":"tool_use","name":"Bash","input":{"command":"ls"}}]}}"#
    );
    let copilot = concat!(
        r#"{"type":"session.start","data":{"sessionId":"s1","startTime":"2025-12-18T21:32:04.182Z"},"id":"e1","timestamp":"2025-12-18T21:32:04.183Z"}"#,
        "\n",
        r#"{"type":"user.message","data":{"content":"Hello","attachments":[{"displayName":"a.rs"}]},"id":"e2","timestamp":"2025-12-18T21:32:07Z"}"#,
        "\n",
        r#"{"type":"assistant.message","data":{"content":"","toolRequests":[{"name":"bash","arguments":{"command":"ls"}}]},"id":"e3","timestamp":"2025-12-18T21:32:08Z"}"#,
        "\n",
        r#"{"type":"tool.execution_complete","data":{"result":{"content":"file1\n"}},"id":"e4","timestamp":"2025-12-18T21:32:09Z"}"#,
        "\n",
        r#"{"type":"assistant.message","data":{"content":"Done"},"id":"e5","timestamp":"2025-12-18T21:32:10Z"}"#
    );
    let grok = concat!(
        r#"{"type":"system","content":"You are Grok."}"#,
        "\n",
        r#"{"type":"user","content":[{"type":"text","text":"<user_info/>"}],"synthetic_reason":"environment_context"}"#,
        "\n",
        r#"{"type":"user","content":[{"type":"text","text":"Read it."}],"prompt_index":0}"#,
        "\n",
        r#"{"type":"assistant","content":"Yes.","tool_calls":[{"name":"read_file","arguments":"{\"path\":\"a\"}"}],"model_id":"g"}"#
    );
    let plain = concat!(
        r#"{"role":"user","content":"q","timestamp":"2024-01-01T00:00:00Z"}"#,
        "\n",
        r#"{"role":"assistant","content":"a","timestamp":"2024-01-01T00:01:00Z"}"#
    );
    for (key, lines) in [("cursor", cursor), ("github_copilot", copilot), ("grok", grok), ("ai_chat", plain)] {
        let (folder, file) = lines_in_a_folder(key, lines);
        assert_eq!(formats(&file), [key]);
        insta::assert_snapshot!(format!("lines_of_{key}"), talk(&items(&file, &options()).unwrap()));
        drop(folder);
    }
}

/// Who said what, and how.
fn talk(items: &[Item]) -> String {
    let line = |m: &&Message| {
        let active = if m.active { "" } else { " (not kept)" };
        let files: String = m.attachments.iter().map(|a| format!(" <{}>", a.name)).collect();
        format!("{} {:?}: {:?}{files}{active}\n", m.sender.name, m.part, m.text)
    };
    messages(items).iter().map(line).collect()
}

fn lines_in_a_folder(key: &str, lines: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = folder(&[(&format!("{key}.jsonl"), lines.as_bytes())]);
    let file = folder.path().join("export").join(format!("{key}.jsonl"));
    (folder, file)
}

#[test]
fn chats_in_json_of_many_programs() {
    let exporter =
        r#"{"metadata":{"title":"Trip"},"messages":[{"role":"Prompt","say":"Hi"},{"role":"Response","say":"Hello"}]}"#;
    let lists = r#"[{"id":"a1","conversations":[{"from":"human","value":"Q1"},{"from":"gpt","value":"A1"}]},
        {"id":"a2","conversations":[{"from":"human","value":"Q2"},{"from":"gpt","value":"A2"}]}]"#;
    let nested = r#"{"conversationId":"c1","title":"T","messages":[{"messageId":"m1","sender":"User","text":"q","createdAt":"2024-02-01T10:00:00Z",
        "children":[{"messageId":"m2","parentMessageId":"m1","sender":"GPT-4","text":"a","createdAt":"2024-02-01T10:00:05Z"},
        {"messageId":"m3","parentMessageId":"m1","sender":"GPT-4","text":"b","createdAt":"2024-02-01T10:00:09Z"}]}]}"#;
    let wrapped = r#"{"data":{"chats":[{"chatID":"x1","chatTitle":"Mine","messages":[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"text","text":"a"}]}]}]}}"#;
    let blocks = r#"[{"uuid":"d","name":"Design","messages":[{"role":"user","content":{"contentBlocks":[{"type":"text","text":"draw"}]}}]}]"#;
    let shared = r#"{"title":"L","linear_conversation":[{"message":{"author":{"role":"user"},"content":{"content_type":"text","parts":["one"]}}},
        {"message":{"author":{"role":"assistant"},"content":{"content_type":"text","parts":["two"]}}}]}"#;
    let all = [
        ("exporter", exporter),
        ("lists", lists),
        ("nested", nested),
        ("wrapped", wrapped),
        ("blocks", blocks),
        ("shared", shared),
    ];
    let mut shown = String::new();
    for (name, json) in all {
        let items = items_of(&format!("{name}.json"), json.as_bytes()).unwrap();
        assert_eq!(counts(&items).2, 0, "{name}");
        shown += &format!("{name}\n{}", talk(&items));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_shared_chat_of_chatgpt_is_a_list_of_nodes() {
    let page = r#"{"title":"L","conversation_id":"c","linear_conversation":[
        {"id":"u","children":["a"],"message":{"id":"u","author":{"role":"user"},"create_time":1700000001.25,"content":{"content_type":"text","parts":["hello"]}}},
        {"id":"a","parent":"u","children":[],"message":{"id":"a","author":{"role":"assistant"},"create_time":1700000002,"content":{"content_type":"text","parts":["x"]}}}]}"#;
    let items = items_of("share.json", page.as_bytes()).unwrap();
    assert_eq!(counts(&items), (2, 0, 0));
    assert!(messages(&items).iter().all(|m| m.source == "chatgpt" && m.active));
}

#[test]
fn projects_of_claude_are_what_a_person_told_it() {
    let projects = r#"[{"uuid":"p1","name":"Garden","description":"All about it","is_starter_project":false,"prompt_template":"Be brief.",
        "created_at":"2024-06-01T10:00:00Z","updated_at":"2024-06-02T10:00:00Z",
        "docs":[{"uuid":"d1","filename":"beds.md","content":"Three beds.","created_at":"2024-06-01T11:00:00Z"}]},
        {"uuid":"p2","name":"How to","is_starter_project":true,"prompt_template":"","docs":[]},
        {"uuid":"p3","name":"Nothing","prompt_template":"","docs":[]}]"#;
    let memories = r#"[{"conversations_memory":"A gardener.","account_uuid":"a"}]"#;
    let folder = folder(&[("projects.json", projects.as_bytes()), ("memories.json", memories.as_bytes())]);
    let items = items(&folder.path().join("export"), &options()).unwrap();
    assert_eq!(formats(&folder.path().join("export")), ["claude"]);
    insta::assert_snapshot!(shown(&items));
}

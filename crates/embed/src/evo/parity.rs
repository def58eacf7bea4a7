//! A parity kit run through this implementation: `cases.json` and `expected.safetensors` beside the model they
//! were made with. Every number of the kit is compared or named; gradients are not computed, as nothing is
//! trained here.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device as Candle};
use serde::Deserialize;

use super::checkpoint::{Checkpoint, Matrix, OUTPUT_WORDS, SIDE};
use super::embedder::{EvoEmbedder, Opened};
use super::figures::{
    Made, behind_turns, contrastive_loss, flat, language_loss, native, scores, segments, softmax, units,
};
use super::model::groups;
use super::qwen3::Qwen3;
use super::report::{Outcome, ParityReport, Quantity, ScenarioReport};
use super::spec::{Parts, Qwen3Config};
use super::text::{Texts, Turn, split};
use crate::safetensors::Safetensors;
use crate::{Device, EmbedError};

/// `cases.json`; every key may be absent.
#[derive(Deserialize)]
struct Cases {
    #[serde(default)]
    scenarios: Vec<Scenario>,
    #[serde(default)]
    checkpoint_keys: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
struct Scenario {
    name: String,
    #[serde(default)]
    messages: Vec<Message>,
    query: Option<String>,
    turns: Option<Vec<String>>,
    a_turn_ids: Option<Vec<Vec<u32>>>,
    a_chunks: Option<Vec<usize>>,
    a_query_prefixed_ids: Option<Vec<u32>>,
    b_input_ids: Option<Vec<u32>>,
    b_split_points: Option<Vec<usize>>,
    b_chunks: Option<Vec<usize>>,
    b_retrieval_ids: Option<Vec<Vec<u32>>>,
    b_order: Option<Vec<usize>>,
    b_native_order: Option<Vec<usize>>,
    t_input_ids: Option<Vec<u32>>,
    t_label_count: Option<usize>,
    t_evidence: Option<Vec<usize>>,
    t_loss_total: Option<f32>,
    t_loss_lm: Option<f32>,
    t_loss_contrastive: Option<f32>,
    #[serde(flatten)]
    other: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
}

/// What a difference is measured against (the kit's README).
#[derive(Clone, Copy)]
struct Allowed(&'static str, f32);

const LATENTS: Allowed = Allowed("latents", 1e-4);
const VECTORS: Allowed = Allowed("vectors before normalisation", 1e-4);
const UNIT: Allowed = Allowed("unit vectors", 2e-5);
const SCORES: Allowed = Allowed("scores", 2e-4);
const LOSSES: Allowed = Allowed("losses", 1e-3);

/// Runs every scenario of a kit. An error only if the kit's files cannot be read or its model does not open;
/// whatever differs, is missing or fails in a scenario is in the report.
pub fn parity(kit: &Path, device: Device) -> Result<ParityReport, EmbedError> {
    let path = kit.join("cases.json");
    let json = std::fs::read(&path).map_err(|error| EmbedError::io(&path, &error))?;
    let cases: Cases = serde_json::from_slice(&json).map_err(|error| EmbedError::broken(&path, error))?;
    let expected = Safetensors::open_file(&kit.join("expected.safetensors"))?;
    let model = kit.join("model");
    let embedder = EvoEmbedder::open(&model, device)?;
    let opened = &*embedder.opened;
    let parts = Parts::find(&model)?;
    let files = Checkpoint::open(&model, &parts, &opened.device)?;
    let side = side_model(&model, &files, &opened.device)?;
    let size = (opened.spec.base.vocab_size, opened.spec.base.hidden_size);
    let output_words = files.shape(OUTPUT_WORDS).map(|_| files.matrix(OUTPUT_WORDS, size)).transpose()?;
    let recognising = opened.texts.recognising();
    let scenarios = cases.scenarios.iter().map(|scenario| {
        let mut run = Run {
            opened,
            side: side.as_ref(),
            output_words: output_words.as_ref(),
            recognising: &recognising,
            scenario,
            expected: &expected,
            seen: Vec::new(),
            found: Vec::new(),
        };
        run.all();
        ScenarioReport { name: scenario.name.clone(), quantities: run.found }
    });
    let scenarios = scenarios.collect();
    let keys = vec![Quantity { name: "checkpoint_keys".into(), outcome: keys(&cases.checkpoint_keys, &files) }];
    Ok(ParityReport { device: embedder.device().to_owned(), kit: keys, scenarios })
}

/// The static side model, if the kit says how large it is.
fn side_model(dir: &Path, files: &Checkpoint, device: &Candle) -> Result<Option<Qwen3>, EmbedError> {
    let path = dir.join("emb_config.json");
    if !path.exists() || !files.names().iter().any(|name| name.starts_with(SIDE)) {
        return Ok(None);
    }
    let json = std::fs::read_to_string(&path).map_err(|error| EmbedError::io(&path, &error))?;
    Ok(Some(Qwen3::load_side(files, &Qwen3Config::read(&path, &json)?, device)?))
}

fn keys(expected: &BTreeMap<String, Vec<usize>>, files: &Checkpoint) -> Outcome {
    if expected.is_empty() {
        return Outcome::NotInKit;
    }
    let wrong = expected.iter().find(|(name, shape)| files.shape(name) != Some(shape.as_slice()));
    let more = files.names().into_iter().find(|name| !expected.contains_key(*name));
    match (wrong, more) {
        (None, None) => Outcome::Equal,
        (Some((name, shape)), _) => {
            Outcome::Differs(format!("{name} should have shape {shape:?}, it has {:?}", files.shape(name)))
        }
        (None, Some(name)) => Outcome::Differs(format!("{name} is in the checkpoint and not in the list")),
    }
}

/// One scenario on its way.
struct Run<'a> {
    opened: &'a Opened,
    side: Option<&'a Qwen3>,
    output_words: Option<&'a Matrix>,
    recognising: &'a Texts,
    scenario: &'a Scenario,
    expected: &'a Safetensors,
    /// Keys of `expected.safetensors` that were looked at.
    seen: Vec<String>,
    found: Vec<Quantity>,
}

impl Run<'_> {
    fn all(&mut self) {
        for (name, part) in [
            ("convention A", Self::a as fn(&mut Self) -> Made<()>),
            ("convention B", Self::b),
            ("losses", Self::losses),
        ] {
            if let Err(error) = part(self) {
                self.add(name, Outcome::Failed(said(&error)));
            }
        }
        self.rest();
    }

    fn add(&mut self, name: &str, outcome: Outcome) {
        self.found.push(Quantity { name: name.to_owned(), outcome });
    }

    /// The conversation in pairs.
    fn pairs(&self) -> Vec<Turn<'_>> {
        let mut pairs: Vec<Turn<'_>> = Vec::new();
        let mut open = false;
        for Message { role, content } in &self.scenario.messages {
            match (role.as_str(), pairs.last_mut()) {
                ("assistant", Some(last)) if open => {
                    last.assistant = content;
                    open = false;
                }
                ("assistant", _) => pairs.push(Turn { user: "", assistant: content }),
                _ => {
                    pairs.push(Turn::of(content));
                    open = true;
                }
            }
        }
        pairs
    }

    /// Compares rows of ids, and gives those to go on with: the kit's where control tokens in its text are the
    /// only difference.
    fn ids(
        &mut self,
        name: &str,
        expected: Option<&Vec<Vec<u32>>>,
        ids: impl Fn(&Texts) -> Made<Vec<Vec<u32>>>,
    ) -> Made<Vec<Vec<u32>>> {
        let plain = ids(&self.opened.texts)?;
        let Some(expected) = expected else {
            self.add(name, Outcome::NotInKit);
            return Ok(plain);
        };
        if plain == *expected {
            self.add(name, Outcome::Equal);
            return Ok(plain);
        }
        let recognised = ids(self.recognising)?;
        if recognised == *expected {
            let why = "its text holds control tokens, which are read as plain text here; it goes on with the kit's ids";
            self.add(name, Outcome::Meant(why.into()));
            return Ok(recognised);
        }
        self.add(name, differs(&plain, expected));
        Ok(plain)
    }

    fn list<T: PartialEq + std::fmt::Debug>(&mut self, name: &str, expected: Option<&Vec<T>>, found: &[T]) {
        let outcome = match expected {
            None => Outcome::NotInKit,
            Some(expected) if *expected == found => Outcome::Equal,
            Some(expected) => differs(found, expected),
        };
        self.add(name, outcome);
    }

    /// Compares with a tensor of `expected.safetensors`, if it is there.
    fn numbers(&mut self, name: &str, allowed: Allowed, found: impl FnOnce() -> Made<Vec<f32>>) -> Made<()> {
        let key = format!("{}.{name}", self.scenario.name);
        if self.expected.place(&key).is_none() {
            self.add(name, Outcome::NotInKit);
            return Ok(());
        }
        let expected = self.expected.tensor(&key, &Candle::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        self.seen.push(key);
        let outcome = apart(&found()?, &expected, allowed);
        self.add(name, outcome);
        Ok(())
    }

    fn has(&self, name: &str) -> bool {
        self.expected.place(&format!("{}.{name}", self.scenario.name)).is_some()
    }

    /// Convention A: plain turns, one final queue for all, no prefix (specification 1.5).
    fn a(&mut self) -> Made<()> {
        let Opened { spec, model, .. } = self.opened;
        let scenario = self.scenario;
        let of_messages: Vec<String> = self.pairs().iter().map(Turn::string).collect();
        self.list("turns", scenario.turns.as_ref(), &of_messages);
        let turns = scenario.turns.clone().unwrap_or(of_messages);
        let all = |texts: &Texts| turns.iter().map(|turn| texts.ended(turn, &spec.ids)).collect();
        let segments = self.ids("a_turn_ids", scenario.a_turn_ids.as_ref(), all)?;
        let lengths: Vec<usize> = segments.iter().map(Vec::len).collect();
        let chunks = groups(&lengths, spec);
        self.list("a_chunks", scenario.a_chunks.as_ref(), &chunks);
        let mut texts = segments.clone();
        if let Some(query) = &scenario.query {
            texts.push(self.opened.texts.ended(query, &spec.ids)?);
        }
        for (chunks, kind) in [(chunks, ""), (vec![1; segments.len()], "_one_turn_per_pass")] {
            let (latents, embeddings) = (format!("a_latent_buffer{kind}"), format!("a_embeddings{kind}"));
            if !self.has(&latents) && !self.has(&embeddings) {
                self.add(&latents, Outcome::NotInKit);
                self.add(&embeddings, Outcome::NotInKit);
                continue;
            }
            let rows = model.remember(None, &segments, &chunks)?;
            let queue = model.queue(rows.as_ref().map_or(Ok(0), |rows| rows.dim(0))?);
            let buffer = rows.as_ref().map(|rows| rows.narrow(0, queue.start, queue.len())).transpose()?;
            self.numbers(&latents, LATENTS, || flat(buffer.as_ref()))?;
            let with = |ids: &[Vec<u32>]| units(self.opened, rows.as_ref(), ids, queue.clone());
            let (made, prefixed) = (with(&texts), self.prefixed(kind)?.map(|ids| with(&[ids])));
            self.numbers(&embeddings, UNIT, || made)?;
            if let Some(prefixed) = prefixed {
                self.numbers("a_query_prefixed", UNIT, || prefixed)?;
            }
        }
        self.numbers("a_no_memory", UNIT, || units(self.opened, None, &texts, 0..0))?;
        let side = self.side;
        match side {
            Some(side) => self.numbers("native_embeddings", UNIT, || Ok(native(side, &texts)?.concat())),
            None => Ok(()),
        }
    }

    /// Prefix text and query as one string, compared and given, once.
    fn prefixed(&mut self, kind: &str) -> Made<Option<Vec<u32>>> {
        let Opened { spec, .. } = self.opened;
        let (scenario, Some(query)) = (self.scenario, self.scenario.query.as_ref()) else { return Ok(None) };
        if !kind.is_empty() {
            return Ok(None);
        }
        let text = format!("{}{query}", spec.prefix_text);
        let expected = scenario.a_query_prefixed_ids.clone().map(|ids| vec![ids]);
        let one = |texts: &Texts| Ok(vec![texts.ended(&text, &spec.ids)?]);
        Ok(self.ids("a_query_prefixed_ids", expected.as_ref(), one)?.into_iter().next())
    }

    /// Convention B: the chat stream, each turn behind what came before it (specification 1.5).
    fn b(&mut self) -> Made<()> {
        let Opened { spec, model, .. } = self.opened;
        let scenario = self.scenario;
        let Some(query) = &scenario.query else { return Ok(()) };
        if scenario.messages.is_empty() {
            return Ok(());
        }
        let pairs: Vec<(String, String)> =
            self.pairs().iter().map(|pair| (pair.user.to_owned(), pair.assistant.to_owned())).collect();
        let turns: Vec<Turn<'_>> = pairs.iter().map(|(user, assistant)| Turn { user, assistant }).collect();
        let expected = scenario.b_input_ids.clone().map(|ids| vec![ids]);
        let stream = |texts: &Texts| {
            let segments = turns.iter().map(|turn| texts.turn(turn, &spec.ids));
            let mut stream = segments.collect::<Made<Vec<_>>>()?.concat();
            stream.extend(texts.message("user", query, &spec.ids)?);
            stream.extend(texts.opening(&spec.ids)?);
            Ok(vec![stream])
        };
        let stream = self.ids("b_input_ids", expected.as_ref(), stream)?.concat();
        let points = split(&stream, &spec.ids);
        self.list("b_split_points", scenario.b_split_points.as_ref(), &points);
        let segments = segments(&stream, &points);
        let lengths: Vec<usize> = segments.iter().map(Vec::len).collect();
        let chunks = groups(&lengths, spec);
        self.list("b_chunks", scenario.b_chunks.as_ref(), &chunks);
        let retrieval = |texts: &Texts| {
            let mut all = turns.iter().map(|turn| texts.ended(&turn.string(), &spec.ids)).collect::<Made<Vec<_>>>()?;
            all.push(texts.query(query, spec)?);
            Ok(all)
        };
        let retrieval = self.ids("b_retrieval_ids", scenario.b_retrieval_ids.as_ref(), retrieval)?;
        let rows = model.remember(None, &segments, &chunks)?;
        self.numbers("b_latents", LATENTS, || flat(rows.as_ref()))?;
        let vectors = behind_turns(self.opened, rows.as_ref(), &retrieval)?;
        self.numbers("b_vectors", VECTORS, || Ok(vectors.concat()))?;
        let found = scores(&vectors, spec.temperature);
        self.numbers("b_scores", SCORES, || Ok(found.clone()))?;
        self.numbers("b_probs", SCORES, || Ok(softmax(&found)))?;
        self.order("b_order", "b_scores", scenario.b_order.as_ref(), &found)?;
        if let Some(side) = self.side {
            let native = native(side, &retrieval)?;
            let found = scores(&native, spec.temperature);
            self.numbers("b_native_scores", SCORES, || Ok(found.clone()))?;
            self.order("b_native_order", "b_native_scores", scenario.b_native_order.as_ref(), &found)?;
        }
        Ok(())
    }

    /// An order may differ only between scores of the kit that are closer than scores may differ.
    fn order(&mut self, name: &str, by: &str, expected: Option<&Vec<usize>>, scores: &[f32]) -> Made<()> {
        let Some(expected) = expected else {
            self.add(name, Outcome::NotInKit);
            return Ok(());
        };
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let key = format!("{}.{by}", self.scenario.name);
        let theirs = match self.expected.place(&key) {
            Some(_) => self.expected.tensor(&key, &Candle::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?,
            None => scores.to_vec(),
        };
        let places: Option<Vec<f32>> = order.iter().map(|at| theirs.get(*at).copied()).collect();
        let near = places.is_some_and(|scores| {
            let mut least = f32::INFINITY;
            scores.iter().all(|score| {
                let falls = *score <= least + SCORES.1;
                least = least.min(*score);
                falls
            })
        });
        let outcome = match order == *expected || near && order.len() == expected.len() {
            true => Outcome::Equal,
            false => differs(&order, expected),
        };
        self.add(name, outcome);
        Ok(())
    }

    /// Both losses of training (specification 2.1), which are plain forwards.
    fn losses(&mut self) -> Made<()> {
        let scenario = self.scenario;
        let (Some(stream), Some(labels)) = (&scenario.t_input_ids, scenario.t_label_count) else { return Ok(()) };
        let Opened { spec, model, .. } = self.opened;
        let points = split(stream, &spec.ids);
        let history = segments(stream, &points);
        let rows = model.remember(None, &history, &groups(&history.iter().map(Vec::len).collect::<Vec<_>>(), spec))?;
        let last = &stream[points.iter().rev().nth(1).copied().unwrap_or(0)..];
        let language = language_loss(self.opened, rows.as_ref(), last, labels, self.output_words)?;
        self.loss("t_loss_lm", scenario.t_loss_lm, language);
        let (Some(evidence), Some(retrieval)) = (&scenario.t_evidence, &scenario.b_retrieval_ids) else {
            return Ok(());
        };
        let contrastive =
            contrastive_loss(&behind_turns(self.opened, rows.as_ref(), retrieval)?, evidence, spec.temperature);
        self.loss("t_loss_contrastive", scenario.t_loss_contrastive, contrastive);
        self.loss("t_loss_total", scenario.t_loss_total, language + contrastive);
        Ok(())
    }

    fn loss(&mut self, name: &str, expected: Option<f32>, found: f32) {
        let outcome = expected.map_or(Outcome::NotInKit, |expected| apart(&[found], &[expected], LOSSES));
        self.add(name, outcome);
    }

    /// Names everything of the kit that nothing above has looked at.
    fn rest(&mut self) {
        let start = format!("{}.", self.scenario.name);
        let names = self.expected.names().filter_map(|(name, _)| name.strip_prefix(&start));
        let left: Vec<&str> = names.filter(|name| !self.seen.contains(&format!("{start}{name}"))).collect();
        let (gradients, others): (Vec<&str>, Vec<&str>) =
            left.into_iter().partition(|name| name.starts_with("t_grad."));
        if !gradients.is_empty() {
            let why = format!("{} gradients, as nothing is trained here", gradients.len());
            self.add("t_grad.*", Outcome::NotComputed(why));
        }
        let known = |name: &str| name.starts_with("native_") || name.starts_with("b_native_");
        for name in others {
            let why = if known(name) && self.side.is_none() {
                "the side model's emb_config.json or weights are not in the kit"
            } else {
                "nothing of this name is known here, or the kit lacks what it is computed from"
            };
            self.add(name, Outcome::NotComputed(why.into()));
        }
        let scenario = self.scenario;
        let losses = [
            ("t_loss_lm", scenario.t_loss_lm),
            ("t_loss_contrastive", scenario.t_loss_contrastive),
            ("t_loss_total", scenario.t_loss_total),
        ];
        for (name, _) in losses.into_iter().filter(|(_, loss)| loss.is_some()) {
            if !self.found.iter().any(|quantity| quantity.name == name) {
                self.add(name, Outcome::NotComputed("the kit lacks what it is computed from".into()));
            }
        }
        for name in self.scenario.other.keys().filter(|name| *name != "t_grad_none") {
            self.add(name, Outcome::NotComputed("nothing of this name is known here".into()));
        }
    }
}

fn apart(found: &[f32], expected: &[f32], Allowed(group, allowed): Allowed) -> Outcome {
    if found.len() != expected.len() {
        return Outcome::Differs(format!("{} numbers, the kit has {}", found.len(), expected.len()));
    }
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let largest = differences.fold(0.0, |most: f32, now| if now <= most || most.is_nan() { most } else { now });
    Outcome::Apart { largest, allowed, group }
}

/// Where two lists part.
fn differs<T: PartialEq + std::fmt::Debug>(found: &[T], expected: &[T]) -> Outcome {
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(found.len().min(expected.len()));
    let show = |list: &[T]| list.get(at).map_or("the end".into(), |item| shortened(&format!("{item:?}")));
    Outcome::Differs(format!("at {at} {} instead of {}", show(found), show(expected)))
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 { text.into() } else { text.chars().take(80).chain("…".chars()).collect() }
}

/// An error with its cause, which its own message keeps back.
fn said(error: &EmbedError) -> String {
    match error {
        EmbedError::Other(cause) => format!("{cause:#}"),
        other => other.to_string(),
    }
}

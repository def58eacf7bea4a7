//! `evoke eval`: figures, runs and comparisons in words or JSON.

use crate::{args::Command, run::say};
use evoke_memory::{
    Arithmetic, MemoryError, Options,
    eval::{self, Compared, Eval, Figures, History, Report, Scored},
};
use serde_json::json;
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

pub(crate) async fn run(command: &Command, json: bool, options: &Options) -> Result<ExitCode, MemoryError> {
    let Command::Eval { file, mode, run, compare, keep, only, rerank, f32 } = command else {
        return Ok(ExitCode::SUCCESS);
    };
    let file =
        file.as_deref().ok_or_else(|| MemoryError::BadQuery("say which file of histories to measure on".into()))?;
    if let Some([a, b]) = compare.as_deref() {
        return compared(file, a, b, json);
    }
    let modes: Vec<evoke_memory::message::Mode> = mode.iter().map(|m| (*m).into()).collect();
    let arithmetic = if *f32 { Arithmetic::F32 } else { Arithmetic::Int8 };
    let eval = Eval::new(modes.clone(), *rerank, Options { arithmetic, ..options.clone() });
    let scratch = tempfile::tempdir().map_err(anyhow::Error::from)?;
    let mut all: Vec<Scored> = Vec::new();
    for (n, history) in eval::histories(file)?.enumerate().take(only.unwrap_or(usize::MAX)) {
        let history = history?;
        let folder = folder(keep.as_deref(), scratch.path(), &history, n);
        eprintln!("{}: {} turns, {} questions", history.history_id, history.turns.len(), history.queries.len());
        all.extend(eval.run(&history, &folder).await?);
        if keep.is_none() {
            std::fs::remove_dir_all(&folder).map_err(anyhow::Error::from)?;
        }
    }
    if let Some(path) = run {
        write_run(path, &all)?;
    }
    let reports: Vec<Report> = modes.iter().map(|m| Report::of(eval::mode_name(*m), &all)).collect();
    say(json, &reports, || reports.iter().for_each(report));
    Ok(ExitCode::SUCCESS)
}

fn folder(keep: Option<&Path>, scratch: &Path, history: &History, n: usize) -> PathBuf {
    let name: String =
        history.history_id.chars().map(|c| if c.is_alphanumeric() || c == '-' { c } else { '_' }).collect();
    keep.unwrap_or(scratch).join(format!("{n:04}-{name}"))
}

fn write_run(path: &Path, all: &[Scored]) -> Result<(), MemoryError> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(path).map_err(anyhow::Error::from)?);
    for line in all.iter().flat_map(Scored::lines) {
        writeln!(out, "{line}").map_err(anyhow::Error::from)?;
    }
    Ok(out.flush().map_err(anyhow::Error::from)?)
}

fn report(report: &Report) {
    println!("{}", report.mode);
    println!(
        "  {:18} {:>5} {:>6} {:>6} {:>6} {:>6} {:>7} {:>8} {:>6}",
        "", "n", "R@1", "R@5", "R@10", "R@20", "R@10cap", "nDCG@10", "MRR"
    );
    let row = |name: &str, f: &Figures| {
        println!(
            "  {name:18} {:>5} {:>6.1} {:>6.1} {:>6.1} {:>6.1} {:>7.1} {:>8.1} {:>6.1}",
            f.questions, f.r1, f.r5, f.r10, f.r20, f.r10_capped, f.ndcg10, f.mrr
        );
    };
    report.categories.iter().for_each(|(name, figures)| row(name, figures));
    row("overall", &report.overall);
    println!(
        "  M5 {:.1}   left out: {} without label, {} that the history does not answer",
        report.m5, report.unlabelled, report.abstaining
    );
}

fn compared(file: &Path, a: &Path, b: &Path, json: bool) -> Result<ExitCode, MemoryError> {
    let histories: Vec<History> = eval::histories(file)?.collect::<Result<_, _>>()?;
    let all: Vec<Compared> = eval::compare(&histories, &eval::read_run(a)?, &eval::read_run(b)?, 1);
    say(json, &json!({ "a": a, "b": b, "figures": all }), || {
        println!("{:8} {:>7} {:>7} {:>7}   95 % of resamples      p", "", "A", "B", "B − A");
        for c in &all {
            println!(
                "{:8} {:>7.2} {:>7.2} {:>+7.2}   {:>+6.2} to {:>+6.2}   {:.4}",
                c.figure, c.a, c.b, c.difference, c.low, c.high, c.p
            );
        }
    });
    Ok(ExitCode::SUCCESS)
}

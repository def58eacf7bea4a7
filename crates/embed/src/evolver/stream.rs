//! A stream: passages read one after another, each with the memory of those before it. A bounded queue: what
//! lies more than a window back is dropped, so a stream of any length takes the same memory.

use crate::EmbedError;
use crate::evolver::layers::{self, Remembered};
use crate::evolver::{Evolver, Said};
use crate::vector::unit;

/// What was read so far. Reading in one call or in many gives the same states (beyond rounding, below 1e-5).
#[derive(Clone)]
pub struct Stream<'a> {
    evolver: &'a Evolver,
    /// Of each block.
    memory: Vec<Remembered>,
    /// Passages that are remembered, at most the window.
    passages: usize,
}

impl<'a> Stream<'a> {
    pub(super) fn new(evolver: &'a Evolver) -> Self {
        Stream { evolver, memory: vec![Remembered::default(); evolver.blocks.len()], passages: 0 }
    }

    /// Reads passages in order; their states, unit vectors of [`super::EvolverSizes::state`] values. A state
    /// depends on the passages before it, never on those after it.
    pub fn read(&mut self, passages: &[Said<'_>]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let mut states = Vec::with_capacity(passages.len());
        for part in passages.chunks(self.evolver.window) {
            states.extend(self.read_part(part)?);
        }
        Ok(states)
    }

    fn read_part(&mut self, passages: &[Said<'_>]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let Evolver { latents, window, heads, .. } = *self.evolver;
        let (each, before) = (latents + 1, self.passages);
        let mut x = Vec::new();
        for said in passages {
            x.extend(self.evolver.rows(*said, &self.evolver.passage_role)?);
        }
        // A passage sees itself and the `window - 1` before it.
        let sees = |row: usize| {
            let end = before + row / each + 1;
            end.saturating_sub(window) * each..end * each
        };
        for (block, memory) in self.evolver.blocks.iter().zip(&mut self.memory) {
            block.forward(&mut x, heads, memory, sees)?;
            memory.keep_last(window * each * self.evolver.passage_role.len());
        }
        self.passages = (before + passages.len()).min(window);
        let width = self.evolver.passage_role.len();
        let last: Vec<f32> = x
            .chunks_exact(width)
            .skip(latents)
            .step_by(each)
            .flat_map(|row| self.evolver.out_norm.apply(row))
            .collect();
        let states = self.evolver.out.apply(&layers::rows(last, width)?)?;
        Ok(states.chunks_exact(self.evolver.state).map(|state| unit(state.to_vec())).collect())
    }

    /// Numbers that are remembered: it grows with the first window of passages and then no more.
    pub fn size(&self) -> usize {
        self.memory.iter().map(|block| block.keys.len() + block.values.len()).sum()
    }

    /// The state that a question looks for, read after all that was read; the stream stays as it is.
    pub fn ask(&self, query: Said<'_>) -> Result<Vec<f32>, EmbedError> {
        let last = self.last_latent(query, &self.evolver.query_role)?;
        let normed = self.evolver.ask_norm.apply(&last);
        let width = normed.len();
        Ok(unit(self.evolver.ask.apply(&layers::rows(normed, width)?)?))
    }

    /// The last latent of a text read after what is remembered, before any head.
    pub(super) fn last_latent(&self, said: Said<'_>, role: &[f32]) -> Result<Vec<f32>, EmbedError> {
        let each = self.evolver.latents + 1;
        let rows = (self.passages + 1) * each;
        let mut x = self.evolver.rows(said, role)?;
        for (block, memory) in self.evolver.blocks.iter().zip(&self.memory) {
            block.forward(&mut x, self.evolver.heads, &mut memory.clone(), |_| 0..rows)?;
        }
        Ok(x.split_off(x.len().saturating_sub(role.len())))
    }
}

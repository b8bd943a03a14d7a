//! Frames that wait until every text in them is decided. They leave in the order in which they came; one in which nothing
//! was masked leaves byte for byte.

use std::collections::{BTreeMap, VecDeque};

use breakwater_common::guard::{Channel, Passage, Passages};
use bytes::Bytes;

use super::Chunk;
use super::framing::Frame;

/// Frames in the order of their coming.
#[derive(Debug, Default)]
pub(super) struct Queue {
    frames: VecDeque<Held>,
    /// Number of the first frame in the queue.
    first: u64,
    /// For each channel the texts that its decisions are about, in order: number of the frame, index of the text.
    routes: BTreeMap<Channel, VecDeque<(u64, usize)>>,
}

/// One frame.
#[derive(Debug)]
pub(super) struct Held {
    frame: Frame,
    /// None for frames without a chunk: comments, the end marker.
    chunk: Option<Box<Chunk>>,
    /// As many as the chunk has texts.
    progress: Vec<Progress>,
}

/// What was decided of one text.
#[derive(Debug, Default)]
struct Progress {
    decided: usize,
    written: String,
    changed: bool,
}

/// A frame that leaves.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    pub(super) bytes: Bytes,
    /// What it is; none for frames without a chunk.
    pub(super) chunk: Option<Box<Chunk>>,
}

impl Queue {
    /// Adds a frame. Its texts are decided by [`Queue::decide`]; empty ones are decided already.
    pub(super) fn push(&mut self, frame: Frame, chunk: Option<Box<Chunk>>) {
        let number = self.first + self.frames.len() as u64;
        let texts = chunk.as_deref().map(|chunk| chunk.texts.as_slice()).unwrap_or_default();
        for (index, text) in texts.iter().enumerate().filter(|(_, text)| !text.text.is_empty() && !text.whole)
        {
            self.routes.entry(text.channel).or_default().push_back((number, index));
        }
        let progress = texts.iter().map(|_| Progress::default()).collect();
        self.frames.push_back(Held { frame, chunk, progress });
    }

    /// Writes what was decided into the texts of a channel.
    pub(super) fn decide(&mut self, channel: Channel, passages: &Passages) {
        for passage in &passages.passages {
            let (mut left, with) = match passage {
                Passage::Keep(len) => (*len, None),
                Passage::Replace(len, with) => (*len, Some(&**with)),
            };
            let mut with_left = with;
            while left > 0 {
                let Some((number, index)) =
                    self.routes.get(&channel).and_then(|route| route.front().copied())
                else {
                    return;
                };
                let at = usize::try_from(number.saturating_sub(self.first)).unwrap_or(usize::MAX);
                let Some(held) = self.frames.get_mut(at) else { return };
                let (taken, complete) = held.decide(index, left, with_left);
                left -= taken;
                with_left = with.map(|_| "");
                if complete && let Some(route) = self.routes.get_mut(&channel) {
                    route.pop_front();
                }
                if taken == 0 && !complete {
                    return;
                }
            }
        }
    }

    /// Writes what was decided of a text that came whole in the frame pushed last.
    pub(super) fn decide_whole(&mut self, index: usize, with: Option<String>) {
        let Some(held) = self.frames.back_mut() else { return };
        let text = held.chunk.as_deref().and_then(|chunk| chunk.texts.get(index));
        let (Some(text), Some(progress)) = (text, held.progress.get_mut(index)) else { return };
        progress.decided = text.text.len();
        progress.changed = with.is_some();
        progress.written = with.unwrap_or_else(|| text.text.clone());
    }

    /// Takes the frames that are decided.
    pub(super) fn leave(&mut self) -> Vec<Leaving> {
        let mut leaving = Vec::new();
        while self.frames.front().is_some_and(Held::is_decided) {
            self.first += 1;
            leaving.extend(self.frames.pop_front().and_then(|held| held.write()));
        }
        leaving
    }

    /// Gives up what is not decided, and takes what was decided of the first frame that is not. One that ends a choice goes
    /// too: its reason is not the one for which this choice ends.
    pub(super) fn give_up(&mut self) -> Option<Leaving> {
        let held = self.frames.pop_front().filter(|held| !held.ends());
        self.frames.clear();
        held.filter(|held| held.progress.iter().any(|progress| !progress.written.is_empty())).and_then(
            |mut held| {
                for progress in &mut held.progress {
                    progress.changed = true;
                }
                held.write()
            },
        )
    }
}

impl Held {
    /// Takes a decision about the next bytes of a text: how many it took, and whether the text is decided with it.
    fn decide(&mut self, index: usize, len: usize, with: Option<&str>) -> (usize, bool) {
        let text = self.chunk.as_deref().and_then(|chunk| chunk.texts.get(index));
        let (Some(text), Some(progress)) = (text, self.progress.get_mut(index)) else { return (0, true) };
        let taken = len.min(text.text.len() - progress.decided);
        match with {
            Some(with) => {
                progress.written.push_str(with);
                progress.changed = true;
            }
            None => {
                let kept = text.text.get(progress.decided..progress.decided + taken);
                progress.written.push_str(kept.unwrap_or_default());
            }
        }
        progress.decided += taken;
        (taken, progress.decided == text.text.len())
    }

    fn ends(&self) -> bool {
        self.chunk.as_deref().is_some_and(|chunk| chunk.choices.iter().any(|(_, ends)| *ends))
    }

    fn is_decided(&self) -> bool {
        let texts = self.chunk.as_deref().map(|chunk| chunk.texts.as_slice()).unwrap_or_default();
        texts.iter().zip(&self.progress).all(|(text, progress)| progress.decided == text.text.len())
    }

    /// Writes the frame; none if nothing of it is left.
    fn write(self) -> Option<Leaving> {
        let Some(chunk) = self.chunk else {
            return Some(Leaving { bytes: self.frame.whole(), chunk: None });
        };
        let changed = self.progress.iter().any(|progress| progress.changed);
        if chunk.edits.is_empty() && !changed {
            return Some(Leaving { bytes: self.frame.whole(), chunk: Some(chunk) });
        }
        let data = self.frame.data().and_then(|data| std::str::from_utf8(data).ok())?;
        let mut edits = chunk.edits.clone();
        let mut rest = chunk.bearing;
        for (text, progress) in chunk.texts.iter().zip(&self.progress) {
            rest |= !progress.written.is_empty();
            if progress.changed {
                edits.replace(text.at.clone(), text.kind.written(&progress.written));
                let logprobs = chunk.logprobs.iter().filter(|(choice, ..)| *choice == text.channel.choice);
                for (_, place, with) in logprobs {
                    edits.replace_once(place.clone(), with);
                }
            }
        }
        if changed && !rest {
            return None;
        }
        Some(Leaving { bytes: self.frame.with_data(&edits.apply(data)), chunk: Some(chunk) })
    }
}

//! What the made-up people had said before the visitor came: `script.txt`, read into acts in the order of their doing.
//! Must never depend on a seed or a clock: an act has the same id in every run, so that a fill that broke off can be repeated.

use anyhow::{Context, Result, bail, ensure};
use tidings_protocol::ids::{CommentId, PostId};
use tidings_protocol::request::{CommentCreate, Method, PostCreate};
use tidings_protocol::text::{CommentText, PostText};
use uuid::Uuid;

use super::cast;

const TEXT: &str = include_str!("script.txt");
/// Ids of acts count on from here.
const FIRST_ID: u128 = 0x0190_0000_de00_7000_8000_0000_0000_0000;
/// A post's comments are said while the next posts are written, as people do: in the beat of posts, the `n`th comes so late.
const COMMENT_BEAT: f64 = 0.7;

/// One thing somebody did.
pub struct Act {
    /// Which member.
    pub who: usize,
    /// What.
    pub method: Method,
    /// When, in posts since the beginning.
    due: f64,
}

impl Act {
    /// Whether it is a post.
    #[must_use]
    pub fn is_post(&self) -> bool {
        matches!(self.method, Method::PostCreate(_))
    }
}

/// All of it, in order: nothing comes before what it answers.
///
/// # Errors
/// The script is not well formed.
pub fn acts() -> Result<Vec<Act>> {
    read(TEXT)
}

/// The post that was written last: if it is there, all is.
#[must_use]
pub fn last_post(acts: &[Act]) -> Option<PostId> {
    acts.iter().rev().find_map(|act| if let Method::PostCreate(post) = &act.method { Some(post.id) } else { None })
}

/// One entry of the script: its depth (0 is a post), who, and the text.
struct Entry {
    depth: usize,
    who: usize,
    text: String,
}

fn read(script: &str) -> Result<Vec<Act>> {
    let mut acts = Vec::new();
    let mut posts = 0;
    let mut post = None;
    // Of the entries above, the newest comment of each depth.
    let mut above: Vec<CommentId> = Vec::new();
    let mut comments = 0;
    for (id, entry) in (FIRST_ID..).map(Uuid::from_u128).zip(entries(script)?) {
        let Entry { depth, who, text } = entry;
        let due = f64::from(posts) + f64::from(comments) * COMMENT_BEAT;
        let method = if depth == 0 {
            post = Some(PostId(id));
            above.clear();
            (posts, comments) = (posts + 1, 0);
            Method::PostCreate(PostCreate::public(PostId(id), PostText::parse(text)?))
        } else {
            ensure!(depth <= above.len() + 1, "an answer to nothing: {text}");
            above.truncate(depth - 1);
            let parent = above.last().copied();
            above.push(CommentId(id));
            comments += 1;
            let post = post.context("a comment before the first post")?;
            Method::CommentCreate(CommentCreate { id: CommentId(id), post, parent, text: CommentText::parse(text)? })
        };
        let due = if depth == 0 { f64::from(posts) } else { due + COMMENT_BEAT };
        acts.push(Act { who, method, due });
    }
    acts.sort_by(|a, b| a.due.total_cmp(&b.due));
    Ok(acts)
}

fn entries(script: &str) -> Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    for line in script.lines().skip_while(|line| !line.starts_with("== ")) {
        let depth = line.bytes().take_while(|byte| *byte == b'>').count();
        if let Some(handle) = line.strip_prefix("== ") {
            entries.push(Entry { depth: 0, who: member(handle)?, text: String::new() });
        } else if depth > 0 {
            let (handle, text) = line[depth..].split_once(": ").with_context(|| format!("who says `{line}`?"))?;
            entries.push(Entry { depth, who: member(handle.trim())?, text: text.to_owned() });
        } else if let Some(last) = entries.last_mut() {
            last.text.push('\n');
            last.text.push_str(line);
        }
    }
    for entry in &mut entries {
        entry.text = entry.text.trim().to_owned();
    }
    if entries.is_empty() {
        bail!("the script is empty");
    }
    Ok(entries)
}

fn member(handle: &str) -> Result<usize> {
    cast::number_of(handle).with_context(|| format!("nobody is called `{handle}`"))
}

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "anything else in a script is a fault")]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nothing_is_said_before_what_it_answers() {
        let acts = acts().unwrap();
        let mut said = HashSet::new();
        for act in &acts {
            match &act.method {
                Method::PostCreate(post) => assert!(said.insert(post.id.0)),
                Method::CommentCreate(comment) => {
                    assert!(said.contains(&comment.post.0), "before its post");
                    assert!(comment.parent.is_none_or(|parent| said.contains(&parent.0)), "before its parent");
                    assert!(said.insert(comment.id.0));
                }
                other => panic!("{} in the script", other.name()),
            }
        }
        assert!(acts.iter().filter(|act| act.is_post()).count() >= 24);
        assert!(acts.len() > 120);
        assert!(acts.iter().any(|act| act.who == cast::SEAT));
    }

    #[test]
    fn comments_are_said_while_others_write_posts() {
        let acts = read("== teo\none\n> olek: a\n>> teo: b\n\n== olek\ntwo\n\nlines\n== teo\nthree\n").unwrap();
        let texts: Vec<&str> = acts
            .iter()
            .map(|act| match &act.method {
                Method::PostCreate(post) => post.text.as_ref().map_or("", |text| text.as_str()),
                Method::CommentCreate(comment) => comment.text.as_str(),
                other => panic!("{} in the script", other.name()),
            })
            .collect();
        assert_eq!(texts, ["one", "a", "two\n\nlines", "b", "three"]);
        assert!(last_post(&acts).is_some());
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        assert!(read("").is_err());
        assert!(read("== nobody\nhello\n").is_err());
        assert!(read("== teo\nhello\n>> olek: an answer to nothing\n").is_err());
    }
}

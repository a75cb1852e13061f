//! Several nodes' machines by seed: connections come and go, nodes are killed, held up and started, criers begin anew, whispers are lost,
//! repeated, late, and played again. Compared with a plain list of who is connected where: once it is quiet, every node knows the truth.

mod cases;
mod world;

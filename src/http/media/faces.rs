//! Everybody's face, under an address that anybody can make of an author as it is told: `/media/avatar/<id>/<rev>`.
//! Must never let what somebody is called become more than a letter in a picture.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use tidings_media::{Turned, Variant};
use tidings_protocol::ids::UserId;

use super::{FOR_EVER, Front, NOTHING, look_up, one_way_to_write, picture, turned};
use crate::http::fault::Refused;

/// Under another `rev` than the profile's: the reader will soon know the new one. Nor may anybody have tomorrow's address kept with today's face.
const A_WHILE: &str = "public, max-age=60";

/// The smallest form of somebody's picture, or a letter where they have none.
pub(super) async fn show(
    front: Data<Front>,
    request: HttpRequest,
    address: Path<(String, String)>,
) -> Result<HttpResponse, Refused> {
    let (user, rev) = address.into_inner();
    let user: UserId = one_way_to_write(&user).ok_or_else(Refused::nothing_here)?;
    let rev: u64 = one_way_to_write(&rev).ok_or_else(Refused::nothing_here)?;
    let face = front.gallery.face(user).await.map_err(|fault| turned(Turned::from(fault)))?;
    let face = face.ok_or_else(Refused::nothing_here)?;
    let keep = if face.rev.0 == rev { FOR_EVER } else { A_WHILE };
    if let Some(avatar) = face.avatar
        && let Some(shown) = look_up(&front, avatar, Variant::Tiny).await?
    {
        return Ok(picture(&request, shown, keep));
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, keep)).insert_header((CONTENT_SECURITY_POLICY, NOTHING));
    Ok(answer.content_type("image/svg+xml").body(drawn(user, &face.name)))
}

/// A letter on a colour that is always the same for the same person.
fn drawn(user: UserId, name: &str) -> String {
    let hue = user.0.as_bytes().iter().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into())) % 360;
    let letter = name.chars().find(|c| c.is_alphanumeric()).unwrap_or('?');
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 96 96\" width=\"96\" height=\"96\">\
         <rect width=\"96\" height=\"96\" fill=\"hsl({hue},45%,38%)\"/>\
         <text x=\"48\" y=\"50\" fill=\"#fff\" font-family=\"system-ui,sans-serif\" font-size=\"44\" \
         text-anchor=\"middle\" dominant-baseline=\"central\">{}</text></svg>",
        letter.to_uppercase()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_write_into_the_picture() {
        let user = UserId(uuid::Uuid::from_u128(7));
        for (name, letter) in [("<script>", "S"), ("\"&'<>", "?"), ("éva", "É"), ("🐦", "?"), ("ßen", "SS"), ("", "?")]
        {
            assert!(drawn(user, name).contains(&format!(">{letter}</text></svg>")), "{name}");
        }
        assert_eq!(drawn(user, "Ann"), drawn(user, "Anton"));
        assert_ne!(drawn(user, "Ann"), drawn(UserId(uuid::Uuid::from_u128(8)), "Ann"));
    }
}

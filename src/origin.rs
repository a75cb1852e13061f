//! Which pages may talk to this node. A browser says in `Origin` where a page is from; programs that are no browser say nothing.
//! Must never compare anything but whole origins: no suffixes, no patterns, no `null`.

/// The origins that are allowed.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    listed: Vec<String>,
}

impl Origins {
    /// With the configured origins besides one's own.
    #[must_use]
    pub fn listed(origins: &[String]) -> Self {
        let normal = |origin: &String| origin.trim_end_matches('/').to_ascii_lowercase();
        Self { listed: origins.iter().map(normal).collect() }
    }

    /// Whether a request may go on. `origin` and `host` as in its headers; without `Origin` it is no page (or of the same one).
    #[must_use]
    pub fn allow(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let Some(origin) = origin else { return true };
        self.is_listed(origin) || is_same(origin, host)
    }

    /// Whether it is one of the configured ones: only these get CORS headers.
    #[must_use]
    pub fn is_listed(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed.eq_ignore_ascii_case(origin))
    }
}

/// Whether a page of this origin came from the host that is asked now, port included.
fn is_same(origin: &str, host: Option<&str>) -> bool {
    let authority = ["http://", "https://"].iter().find_map(|scheme| {
        let (start, rest) = origin.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    match (authority, host) {
        (Some(authority), Some(host)) => !authority.is_empty() && authority.eq_ignore_ascii_case(host),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: Option<&str> = Some("tidings.example");

    #[test]
    fn own_listed_and_missing_origins_may() {
        let origins = Origins::listed(&["https://app.example/".into(), "http://localhost:3000".into()]);
        for origin in [
            "https://tidings.example",
            "http://tidings.example",
            "HTTPS://Tidings.Example",
            "https://app.example",
            "https://APP.example",
            "http://localhost:3000",
        ] {
            assert!(origins.allow(Some(origin), HOST), "{origin}");
        }
        assert!(origins.allow(None, HOST));
        assert!(origins.allow(Some("http://127.0.0.1:8080"), Some("127.0.0.1:8080")));
    }

    #[test]
    fn all_others_may_not() {
        let origins = Origins::listed(&["https://app.example".into()]);
        let others = [
            "https://evil.example",
            "https://app.example.evil.example",
            "https://evilapp.example",
            "https://sub.app.example",
            "https://app.example:444",
            "https://app.example/path",
            "http://app.example",
            "https://tidings.example:8080",
            "https://tidings.example.evil.example",
            "https://evil.example/tidings.example",
            "https://tidings.example@evil.example",
            "ftp://tidings.example",
            "file://tidings.example",
            "tidings.example",
            "//tidings.example",
            "null",
            "",
            "https://",
            "https://tidings.example, https://evil.example",
            "https://tidings.example ",
        ];
        for origin in others {
            assert!(!origins.allow(Some(origin), HOST), "{origin}");
        }
        assert!(!origins.allow(Some("https://tidings.example"), None));
        assert!(!origins.allow(Some("https://"), Some("")));
    }
}

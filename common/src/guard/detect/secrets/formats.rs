//! The formats, as data (sources: the vendors' documentation and the rules of gitleaks, MIT; lengths are the least that
//! the vendor gives out). Where prefixes begin alike, the more specific stands first.

use super::super::{Category, Class};

/// One published format.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) prefix: &'static [u8],
    pub(super) shape: Shape,
    pub(super) category: Category,
}

/// What follows the prefix.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// At least `min` bytes; if `mixed`, a digit is among the first of them.
    Open { class: Class, min: usize, mixed: bool },
    /// Exactly `len` bytes.
    Exact { class: Class, len: usize },
    /// A JSON web token.
    Jwt,
    /// A PEM block with a private key.
    Pem,
    /// A joint such as `=` or `": "`, then exactly `len` bytes.
    Assigned { class: Class, len: usize },
}

const fn format(word: &'static str, prefix: &'static [u8], shape: Shape) -> Format {
    Format { prefix, shape, category: Category { word, placeholder: "[SECRET]" } }
}

const fn open(word: &'static str, prefix: &'static [u8], class: Class, min: usize) -> Format {
    format(word, prefix, Shape::Open { class, min, mixed: false })
}

const fn exact(word: &'static str, prefix: &'static [u8], class: Class, len: usize) -> Format {
    format(word, prefix, Shape::Exact { class, len })
}

const fn assigned(word: &'static str, prefix: &'static [u8]) -> Format {
    format(word, prefix, Shape::Assigned { class: Class::Base64, len: 40 })
}

use Class::{Alnum, AlnumDash, Alpha, Hex, Upper, Url64, Word};

pub(super) static FORMATS: &[Format] = &[
    open("anthropic_key", b"sk-ant-", Url64, 20),
    open("openrouter_key", b"sk-or-v1-", Hex, 32),
    open("openai_key", b"sk-proj-", Url64, 20),
    open("openai_key", b"sk-svcacct-", Url64, 20),
    open("openai_key", b"sk-admin-", Url64, 20),
    format("openai_key", b"sk-", Shape::Open { class: Url64, min: 20, mixed: true }),
    exact("aws_access_key", b"AKIA", Upper, 16),
    exact("aws_access_key", b"ASIA", Upper, 16),
    exact("aws_access_key", b"ABIA", Upper, 16),
    exact("aws_access_key", b"ACCA", Upper, 16),
    assigned("aws_secret_key", b"aws_secret_access_key"),
    assigned("aws_secret_key", b"AWS_SECRET_ACCESS_KEY"),
    assigned("aws_secret_key", b"SecretAccessKey"),
    assigned("aws_secret_key", b"secretAccessKey"),
    open("github_token", b"github_pat_", Word, 22),
    open("github_token", b"ghp_", Alnum, 36),
    open("github_token", b"gho_", Alnum, 36),
    open("github_token", b"ghu_", Alnum, 36),
    open("github_token", b"ghs_", Alnum, 36),
    open("github_token", b"ghr_", Alnum, 36),
    open("gitlab_token", b"glpat-", Url64, 20),
    open("gitlab_token", b"gldt-", Url64, 20),
    open("gitlab_token", b"glrt-", Url64, 20),
    open("gitlab_token", b"glcbt-", Url64, 20),
    open("gitlab_token", b"glptt-", Hex, 40),
    open("gitlab_token", b"gloas-", Url64, 64),
    open("slack_token", b"xoxb-", AlnumDash, 20),
    open("slack_token", b"xoxp-", AlnumDash, 20),
    open("slack_token", b"xoxa-", AlnumDash, 20),
    open("slack_token", b"xoxr-", AlnumDash, 20),
    open("slack_token", b"xoxs-", AlnumDash, 20),
    open("slack_token", b"xoxe-", AlnumDash, 20),
    open("slack_token", b"xoxe.xox", AlnumDash, 20),
    open("slack_token", b"xapp-", AlnumDash, 20),
    open("slack_webhook", b"hooks.slack.com/services/", Class::Base64, 20),
    exact("google_key", b"AIza", Url64, 35),
    open("google_oauth_secret", b"GOCSPX-", Url64, 24),
    open("google_oauth_token", b"ya29.", Url64, 20),
    open("stripe_key", b"sk_live_", Alnum, 16),
    open("stripe_key", b"rk_live_", Alnum, 16),
    open("stripe_key", b"sk_test_", Alnum, 16),
    open("stripe_key", b"rk_test_", Alnum, 16),
    open("stripe_key", b"whsec_", Alnum, 24),
    open("npm_token", b"npm_", Alnum, 36),
    open("pypi_token", b"pypi-", Url64, 40),
    open("rubygems_key", b"rubygems_", Hex, 48),
    open("docker_token", b"dckr_pat_", Url64, 20),
    format("sendgrid_key", b"SG.", Shape::Open { class: Url64, min: 20, mixed: true }),
    exact("twilio_key", b"SK", Hex, 32),
    exact("twilio_key", b"AC", Hex, 32),
    exact("mailgun_key", b"key-", Hex, 32),
    exact("huggingface_token", b"hf_", Alpha, 34),
    open("huggingface_token", b"hf_", Alnum, 34),
    open("groq_key", b"gsk_", Alnum, 40),
    open("xai_key", b"xai-", Alnum, 60),
    open("perplexity_key", b"pplx-", Alnum, 40),
    open("replicate_token", b"r8_", Alnum, 36),
    open("databricks_token", b"dapi", Hex, 32),
    open("digitalocean_token", b"dop_v1_", Hex, 64),
    open("digitalocean_token", b"doo_v1_", Hex, 64),
    open("digitalocean_token", b"dor_v1_", Hex, 64),
    open("shopify_token", b"shpat_", Alnum, 32),
    open("shopify_token", b"shpca_", Alnum, 32),
    open("shopify_token", b"shppa_", Alnum, 32),
    open("shopify_token", b"shpss_", Alnum, 32),
    open("linear_key", b"lin_api_", Alnum, 40),
    open("notion_token", b"ntn_", Alnum, 40),
    open("figma_token", b"figd_", Url64, 36),
    open("postman_key", b"PMAK-", AlnumDash, 40),
    open("new_relic_key", b"NRAK-", Alnum, 27),
    open("grafana_token", b"glsa_", Word, 40),
    open("grafana_token", b"glc_", Class::Base64, 32),
    open("vault_token", b"hvs.", Url64, 24),
    open("vault_token", b"hvb.", Url64, 24),
    open("atlassian_token", b"ATATT3", Url64, 60),
    open("supabase_token", b"sbp_", Hex, 40),
    open("tailscale_key", b"tskey-", AlnumDash, 20),
    open("age_key", b"AGE-SECRET-KEY-1", Upper, 40),
    open("breakwater_token", b"bwt-", Url64, 40),
    open("breakwater_key", b"bw-", Url64, 40),
    format("jwt", b"eyJ", Shape::Jwt),
    format("private_key", b"-----BEGIN ", Shape::Pem),
];

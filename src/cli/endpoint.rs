//! Where the endpoint comes from: the flag, or the environment as the AWS tools read it, or the settings file.

use anyhow::bail;

use crate::contract::Service;

/// The endpoint of all services.
const ALL: &str = "AWS_ENDPOINT_URL";

/// With `true`, the AWS tools ignore endpoints that no flag names; and so do we.
const IGNORED: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// An endpoint, and who says so.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Found {
    /// The URL; `None` is the embedded mock.
    pub url: Option<String>,
    /// The variable that has it, if one does.
    pub variable: Option<&'static str>,
    /// The services that it is for, where the variable says that and nothing else does.
    pub services: Option<Vec<Service>>,
}

/// The variable that has the endpoint of one service: `AWS_ENDPOINT_URL_` and its service id.
fn variable(service: Service) -> &'static str {
    match service {
        Service::Ecr => "AWS_ENDPOINT_URL_ECR",
        Service::EcrPublic => "AWS_ENDPOINT_URL_ECR_PUBLIC",
    }
}

/// The endpoint, by the environment of this process.
pub(super) fn find(flag: Option<&str>, file: Option<&str>, services: Option<&[Service]>) -> anyhow::Result<Found> {
    find_in(flag, file, services, |name| std::env::var(name).ok())
}

/// The endpoint. The environment wins over the settings file, as it wins over the configuration files of AWS; of the
/// environment, what is said of one service wins over what is said of all.
fn find_in(
    flag: Option<&str>,
    file: Option<&str>,
    services: Option<&[Service]>,
    environment: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Found> {
    let of_file = || Found { url: file.map(String::from), ..Found::default() };
    if let Some(url) = flag {
        return Ok(Found { url: Some(String::from(url)), ..Found::default() });
    }
    if environment(IGNORED).is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(of_file());
    }
    let set = |name: &'static str| environment(name).filter(|url| !url.is_empty()).map(|url| (name, url));
    let of = |service: Service| set(variable(service)).or_else(|| set(ALL)).map(|(name, url)| (service, name, url));
    let wanted = services.unwrap_or(&Service::ALL);
    let found: Vec<(Service, &str, String)> = wanted.iter().filter_map(|service| of(*service)).collect();
    let Some((first, name, url)) = found.first().cloned() else { return Ok(of_file()) };
    if let Some((service, other, _)) = found.iter().find(|(_, _, other)| *other != url) {
        bail!(
            "{name} and {other} differ: choose one with --service {first} or --service {service}, or pass --endpoint"
        );
    }
    if found.len() < wanted.len() && services.is_some() {
        bail!("{name} is for {first} alone: pass --service {first}, or --endpoint for both");
    }
    let services = (found.len() < wanted.len()).then(|| found.iter().map(|(service, ..)| *service).collect());
    Ok(Found { url: Some(url), variable: Some(name), services })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(flag: Option<&str>, file: Option<&str>, set: &[(&str, &str)]) -> (Option<String>, Option<&'static str>) {
        let environment = |name: &str| set.iter().find(|(own, _)| *own == name).map(|(_, value)| String::from(*value));
        let found = find_in(flag, file, Some(&[Service::Ecr]), environment).unwrap();
        (found.url, found.variable)
    }

    #[test]
    fn the_flag_wins_over_the_environment_and_that_over_the_file() {
        let all = [("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_ECR", "http://ecr")];
        let text = |text: &str| Some(String::from(text));
        assert_eq!(found(Some("http://flag"), Some("http://file"), &all), (text("http://flag"), None));
        assert_eq!(found(None, Some("http://file"), &all), (text("http://ecr"), Some("AWS_ENDPOINT_URL_ECR")));
        assert_eq!(found(None, Some("http://file"), &all[..1]), (text("http://all"), Some("AWS_ENDPOINT_URL")));
        assert_eq!(found(None, Some("http://file"), &[]), (text("http://file"), None));
        assert_eq!(found(None, None, &[("AWS_ENDPOINT_URL", "")]), (None, None));
        let ignored = [all[0], all[1], ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")];
        assert_eq!(found(None, None, &ignored), (None, None));
    }

    #[test]
    fn an_endpoint_of_one_service_is_not_taken_for_the_other() {
        let of = |services: Option<&[Service]>, set: &[(&str, &str)]| {
            let value = |name: &str| set.iter().find(|(own, _)| *own == name).map(|(_, value)| String::from(*value));
            find_in(None, None, services, value).map_err(|error| error.to_string())
        };
        let public = ("AWS_ENDPOINT_URL_ECR_PUBLIC", "http://public");
        let private = ("AWS_ENDPOINT_URL_ECR", "http://private");
        let alone = of(None, &[public]).unwrap();
        assert_eq!((alone.services, alone.variable), (Some(vec![Service::EcrPublic]), Some(public.0)));
        assert_eq!(of(Some(&[Service::Ecr]), &[public]).unwrap(), Found::default());
        let told = of(None, &[public, private]).unwrap_err();
        assert!(told.starts_with("AWS_ENDPOINT_URL_ECR and AWS_ENDPOINT_URL_ECR_PUBLIC differ: "), "{told}");
        let told = of(Some(&Service::ALL), &[private]).unwrap_err();
        assert!(told.starts_with("AWS_ENDPOINT_URL_ECR is for ecr alone"), "{told}");
        assert_eq!(of(Some(&Service::ALL), &[("AWS_ENDPOINT_URL", "http://all")]).unwrap().services, None);
    }
}

//! Where the arithmetic runs: asked for by the person, settled when the model is opened.

use std::str::FromStr;

/// What was asked for. CUDA and Metal exist only in builds with those features; elsewhere, and where
/// the device does not answer, the model runs on the CPU and [`crate::Embedder::device`] says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// A GPU if there is one, else the CPU.
    #[default]
    Auto,
    Cpu,
    Cuda,
    Metal,
}

impl Device {
    /// What would compute, for people, without opening a model: "CPU, 2 threads", with the reason where another
    /// device was asked for.
    pub fn describe(self) -> String {
        choose(self).description
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name.to_ascii_lowercase().as_str() {
            "auto" => Ok(Device::Auto),
            "cpu" => Ok(Device::Cpu),
            "cuda" => Ok(Device::Cuda),
            "metal" => Ok(Device::Metal),
            _ => Err(format!("There is no device \"{name}\"; choose auto, cpu, cuda or metal.")),
        }
    }
}

/// The device that will be used and its description for people.
pub(crate) struct Chosen {
    pub(crate) device: candle_core::Device,
    pub(crate) description: String,
    /// Worker threads on the CPU; 1 where a GPU does the work.
    pub(crate) threads: usize,
}

pub(crate) fn choose(asked: Device) -> Chosen {
    match asked {
        Device::Cpu => cpu(None),
        Device::Cuda => cuda().unwrap_or_else(|why| cpu(Some(("CUDA", why)))),
        Device::Metal => metal().unwrap_or_else(|why| cpu(Some(("Metal", why)))),
        Device::Auto => cuda().or_else(|_| metal()).unwrap_or_else(|_| cpu(None)),
    }
}

fn cpu(instead_of: Option<(&str, String)>) -> Chosen {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let unit = if threads == 1 { "thread" } else { "threads" };
    let mut description = format!("CPU, {threads} {unit}");
    if let Some((name, why)) = instead_of {
        description += &format!(" ({name} was asked for but is not available: {why})");
    }
    Chosen { device: candle_core::Device::Cpu, description, threads }
}

fn cuda() -> Result<Chosen, String> {
    let device = candle_core::Device::new_cuda(0).map_err(|error| error.to_string())?;
    Ok(Chosen { device, description: "CUDA, device 0".into(), threads: 1 })
}

fn metal() -> Result<Chosen, String> {
    let device = candle_core::Device::new_metal(0).map_err(|error| error.to_string())?;
    Ok(Chosen { device, description: "Metal, device 0".into(), threads: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_regard_to_case() {
        assert_eq!("Auto".parse(), Ok(Device::Auto));
        assert_eq!("cpu".parse(), Ok(Device::Cpu));
        assert_eq!("CUDA".parse(), Ok(Device::Cuda));
        assert_eq!("metal".parse(), Ok(Device::Metal));
        assert!("tpu".parse::<Device>().is_err_and(|message| message.contains("tpu")));
    }

    #[test]
    fn the_cpu_says_how_many_threads() {
        let chosen = choose(Device::Cpu);
        assert!(chosen.device.is_cpu());
        assert!(chosen.description.starts_with(&format!("CPU, {}", chosen.threads)));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_missing_gpu_is_replaced_and_the_reason_kept() {
        let chosen = choose(Device::Cuda);
        assert!(chosen.device.is_cpu());
        assert!(chosen.description.contains("CUDA was asked for"), "{}", chosen.description);
    }
}

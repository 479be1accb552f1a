variable "name" {
  description = "The function's name, and what the names of its role, logs and alarms are made of."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{0,47}$", var.name))
    error_message = "name: 1 to 48 letters, digits, hyphens and underscores (a role's name has 64)."
  }
}

variable "environment" {
  description = "TOLLGATE_ENVIRONMENT: which file of environments/ the contracts in the package are bound to."
  type        = string
  nullable    = false
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}$", var.environment))
    error_message = "environment: lower-case letters, digits and hyphens, begins with a letter."
  }
}

variable "package" {
  description = "Path of the zip: `bootstrap`, executable, and the folder contracts at its root."
  type        = string
  nullable    = false
  validation {
    condition     = endswith(var.package, ".zip") && fileexists(var.package)
    error_message = "package: a .zip that is there. Without its bytes a changed package wouldn't be deployed."
  }
}

variable "architecture" {
  description = "What the package was built for: arm64 or x86_64."
  type        = string
  default     = "arm64"
  nullable    = false
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture: arm64 or x86_64."
  }
}

variable "settings" {
  description = "Further settings, by the names of settings.json. They stand in clear in the state and for whoever may read the function: no secret."
  type        = map(string)
  default     = {}
  nullable    = false
  validation {
    condition     = alltrue([for k in keys(var.settings) : contains(local.known_settings, k)])
    error_message = "settings: names that settings.json has, which are those that the gateway reads. TOLLGATE_ENVIRONMENT is the variable environment; what Azure sets is not there on AWS."
  }
  validation {
    condition     = alltrue([for k, v in var.settings : !can(regex("(SECRET|PASSWORD|_KEY$|HEADERS$|CREDENTIAL)", k)) && !can(regex("(?i)(sig=|AccountKey=|SharedAccess|-----BEGIN)", v))])
    error_message = "settings: no secret, by its name or by its value (a SAS, an account key, a header with a key, a private key). It would stand in the state."
  }
}

variable "memory_mb" {
  description = "Memory, 128 to 10240 MB. CPU grows with it: 1,769 MB are one core."
  type        = number
  default     = 512
  nullable    = false
  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb: a whole number from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "Seconds that one call may take. Above the longest `backend.timeout` of the contracts, or AWS ends the call before the gateway can say why."
  type        = number
  default     = 30
  nullable    = false
  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds: a whole number from 1 to 900."
  }
  validation {
    condition     = var.inbound.mode == "http_api" ? var.timeout_seconds <= 30 : true
    error_message = "timeout_seconds: an HTTP API gives up after 30 seconds; more needs a function URL."
  }
}

variable "reserved_concurrency" {
  description = "How many calls may be under way, and how many of the account's are kept for them; null: as many as the account has left. 0 stops the gateway."
  type        = number
  default     = null
  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 0 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "reserved_concurrency: a whole number, or null."
  }
}

variable "inbound" {
  description = <<-TEXT
    Where calls come in.
    `http_api`: an HTTP API, open to the internet; answers whole, 30 s and 6 MB at the most.
    `url_open`: a function URL, open to the internet; answers are streamed. AWS wants one more statement than this provider has: see the output `by_hand`.
    `url_iam`: a function URL for callers that sign with AWS credentials. The signature takes the Authorization header, so no token of Entra fits into such a call: for APIs with subscription keys alone, and for trying things out.
    `rate` and `burst` are calls per second that an HTTP API lets through.
  TEXT
  type = object({
    mode  = optional(string, "http_api")
    rate  = optional(number, 1000)
    burst = optional(number, 2000)
  })
  default  = {}
  nullable = false
  validation {
    condition     = contains(["http_api", "url_open", "url_iam"], var.inbound.mode)
    error_message = "inbound.mode: http_api, url_open or url_iam."
  }
  validation {
    condition     = var.inbound.rate >= 1 && var.inbound.burst >= 1 && floor(var.inbound.burst) == var.inbound.burst
    error_message = "inbound.rate and inbound.burst: 1 or more."
  }
}

variable "federation" {
  description = "Whether the function may ask AWS for tokens that Entra takes instead of a secret: for that audience alone, signed with RS256 (Entra takes no other), good for five minutes."
  type        = bool
  default     = true
  nullable    = false
}

variable "log_retention_days" {
  description = "Days that logs stay, events among them."
  type        = number
  default     = 90
  nullable    = false
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653. 0, which is forever, isn't offered."
  }
}

variable "kms_key_arn" {
  description = "A key of KMS for logs and settings; null: AWS's own. Its policy must let logs.REGION.amazonaws.com and the function's role use it."
  type        = string
  default     = null
  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/", var.kms_key_arn))
    error_message = "kms_key_arn: the ARN of a key, arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "alarms" {
  description = "Topics of SNS that alarms go to (none: alarms are there and tell nobody), and from which number on: errors and throttles in five minutes, the slowest 1 % in milliseconds, answers 5xx in five minutes."
  type = object({
    topic_arns = optional(set(string), [])
    errors     = optional(number, 1)
    throttles  = optional(number, 1)
    p99_ms     = optional(number, 10000)
    status_5xx = optional(number, 20)
  })
  default  = {}
  nullable = false
  validation {
    condition     = alltrue([for t in var.alarms.topic_arns : can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:", t))])
    error_message = "alarms.topic_arns: ARNs of SNS topics."
  }
  validation {
    condition     = min(var.alarms.errors, var.alarms.throttles, var.alarms.p99_ms, var.alarms.status_5xx) >= 1
    error_message = "alarms: each number is 1 or more."
  }
}

variable "tracing" {
  description = "Whether AWS X-Ray traces calls; the gateway's own traces don't need it."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags of everything that takes any."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "name" {
  description = "Its name | or none."
  type        = string
  sensitive   = true
  validation {
    condition     = var.name != "${var.door}`"
    error_message = "name: not ${var.door}."
  }
}

variable "door" {
  description = <<-TEXT
    Two lines:
    this one.
  TEXT
  type = object({
    width = optional(number, 1)
  })
  default = null
}

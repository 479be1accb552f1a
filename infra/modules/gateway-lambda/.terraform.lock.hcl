# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "~> 5.100"
  hashes = [
    "h1:zCaxh6wb3Kfga0ihF0uDzvTz3ELx1wXn6G3T5h0/j38=",
  ]
}

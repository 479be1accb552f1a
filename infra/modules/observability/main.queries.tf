# Queries as they are deployed: _events.kql, then the file, with what people fill
# in filled in. Their headers say the rest.

locals {
  prelude = file("${path.module}/queries/_events.kql")
  bodies  = { for f in fileset("${path.module}/queries", "[a-z]*.kql") : trimsuffix(f, ".kql") => file("${path.module}/queries/${f}") }
  headers = { for name, text in local.bodies : name => { for m in regexall("(?m)^// ([A-Z][A-Za-z]*): (.+)$", text) : m[0] => m[1] } }

  # The places to fill in: let Name = dynamic([]); or let Name = "";
  elsewhere = ["OfApi", "Wanted"]
  places = merge([for text in values(local.bodies) : {
    for m in regexall("(?m)^let ([A-Z][A-Za-z]*) = (dynamic\\(\\[\\]\\)|\"\");$", text) : m[0] => m[1] == "\"\"" ? "text" : "list" if !contains(local.elsewhere, m[0])
  }]...)
  filled = { for name, text in local.bodies : name => join("\n", [for line in split("\n", text) : lookup(local.lines, line, line)]) }
  # A line of each place, and what stands there instead. Encoded anew: no value ends the literal it stands in.
  lines = merge({}, [for name, value in var.query_parameters : {
    "let ${name} = dynamic([]);" = "let ${name} = dynamic(${jsonencode(jsondecode(value))});"
    "let ${name} = \"\";"        = "let ${name} = ${jsonencode(jsondecode(value))};"
  }]...)

  queries_by_name = { for name, text in local.filled : name => join("", [local.prelude, text]) }
  of_apis = { for api, grants in var.grants : "unused-${api}" => join("", [
    local.prelude, replace(local.bodies["unused"], "let Grants = dynamic([]);", "let Grants = dynamic(${jsonencode(jsondecode(grants))});")
  ]) }
  questions = { for name, h in local.headers : name => h if h.Kind == "question" }
}

resource "azurerm_log_analytics_saved_search" "this" {
  for_each                   = merge(local.queries_by_name, local.of_apis)
  name                       = "tollgate-${each.key}"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  category                   = "Tollgate"
  display_name               = contains(keys(local.headers), each.key) ? local.headers[each.key].Title : "${local.headers["unused"].Title}: ${trimprefix(each.key, "unused-")}"
  query                      = each.value
}

locals {
  # Who called comes first, then the rest by name.
  order = concat([for n in keys(local.questions) : n if startswith(n, "who-")], [for n in keys(local.questions) : n if !startswith(n, "who-")])

  workbook = {
    version = "Notebook/1.0"
    items = concat(
      [{
        type    = 1
        name    = "intro"
        content = { json = "Questions to the gateway's events. `Wanted` of the last one is an X-Correlation-Id, a trace id or an invocation id. Times are UTC." }
      }],
      [{
        type = 9
        name = "parameters"
        content = {
          version    = "KqlParameterItem/1.0"
          style      = "pills"
          parameters = [{ id = uuidv5("url", "tollgate:workbook/Wanted"), version = "KqlParameterItem/1.0", name = "Wanted", label = "Wanted", type = 1, value = "" }]
        }
      }],
      [for name in local.order : {
        type = 3
        name = name
        content = {
          version       = "KqlItem/1.0"
          query         = replace(local.queries_by_name[name], "let Wanted = \"\";", "let Wanted = \"{Wanted}\";")
          size          = 0
          title         = local.questions[name].Title
          noDataMessage = "Nothing: ${local.questions[name].Question}"
          queryType     = 0
          resourceType  = "microsoft.operationalinsights/workspaces"
          # Without it the workbook would cut a question's own time to a day.
          timeContext = { durationMs = tonumber(regex("^P(\\d+)D$", local.questions[name].Period)[0]) * 86400000 }
        }
      }],
    )
  }
}

resource "azurerm_application_insights_workbook" "this" {
  name                = uuidv5("url", "tollgate:${var.resource_group_name}/${var.name}/workbook")
  resource_group_name = var.resource_group_name
  location            = var.location
  display_name        = "Tollgate: who called (${var.name})"
  source_id           = lower(azurerm_log_analytics_workspace.this.id)
  data_json           = jsonencode(local.workbook)
  tags                = var.tags
}

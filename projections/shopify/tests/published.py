"""Facts of Shopify's published schema (Admin API 2026-07), as far as the documents and their variables touch it.

Restated from https://shopify.dev/docs/api/admin-graphql/2026-07. They stand here, apart from the connector and the
sandbox, so that a field that both spell wrong is noticed. Only a call to a development store proves more.
"""

from typing import Any

FIELDS: dict[str, dict[str, str]] = {
    "Mutation": {
        "productSet": "ProductSetPayload",
        "productDelete": "ProductDeletePayload",
        "productVariantsBulkUpdate": "ProductVariantsBulkUpdatePayload",
        "productVariantsBulkDelete": "ProductVariantsBulkDeletePayload",
        "inventorySetQuantities": "InventorySetQuantitiesPayload",
        "inventoryActivate": "InventoryActivatePayload",
        "stagedUploadsCreate": "StagedUploadsCreatePayload",
        "bulkOperationRunMutation": "BulkOperationRunMutationPayload",
    },
    "Query": {
        "product": "Product",
        "productByIdentifier": "Product",
        "inventoryItem": "InventoryItem",
        "node": "BulkOperation",
    },
    "ProductSetPayload": {"product": "Product", "productSetOperation": "ProductSetOperation", "userErrors": "Coded"},
    "ProductDeletePayload": {"deletedProductId": "", "productDeleteOperation": "", "shop": "", "userErrors": "Error"},
    "ProductVariantsBulkUpdatePayload": {
        "product": "Product",
        "productVariants": "ProductVariant",
        "userErrors": "Coded",
    },
    "ProductVariantsBulkDeletePayload": {"product": "Product", "userErrors": "Coded"},
    "InventorySetQuantitiesPayload": {"inventoryAdjustmentGroup": "AdjustmentGroup", "userErrors": "Coded"},
    "InventoryActivatePayload": {"inventoryLevel": "InventoryLevel", "userErrors": "Error"},
    "StagedUploadsCreatePayload": {"stagedTargets": "StagedTarget", "userErrors": "Error"},
    "BulkOperationRunMutationPayload": {"bulkOperation": "BulkOperation", "userErrors": "Coded"},
    "Product": {
        **dict.fromkeys(("id", "title", "descriptionHtml", "vendor", "productType", "status", "handle", "tags"), ""),
        "options": "ProductOption",
        "mediaCount": "Count",
        "variants": "ProductVariantConnection",
    },
    "ProductOption": {"id": "", "name": "", "position": "", "values": "", "optionValues": "ProductOptionValue"},
    "ProductOptionValue": {"id": "", "name": "", "hasVariants": ""},
    "Count": {"count": "", "precision": ""},
    "ProductVariantConnection": {"nodes": "ProductVariant", "edges": "", "pageInfo": "PageInfo"},
    "PageInfo": {"hasNextPage": "", "endCursor": "", "hasPreviousPage": "", "startCursor": ""},
    "ProductVariant": {
        **dict.fromkeys(("id", "sku", "barcode", "price", "compareAtPrice", "inventoryPolicy", "position"), ""),
        "selectedOptions": "SelectedOption",
        "inventoryItem": "InventoryItem",
    },
    "SelectedOption": {"name": "", "value": ""},
    "InventoryItem": {"id": "", "sku": "", "tracked": "", "requiresShipping": "", "inventoryLevel": "InventoryLevel"},
    "InventoryLevel": {"id": "", "isActive": "", "quantities": "InventoryQuantity"},
    "InventoryQuantity": {"id": "", "name": "", "quantity": "", "updatedAt": ""},
    "AdjustmentGroup": {"id": "", "createdAt": "", "reason": "", "changes": "InventoryChange"},
    "InventoryChange": {"name": "", "delta": "", "quantityAfterChange": ""},
    "StagedTarget": {"url": "", "resourceUrl": "", "parameters": "StagedUploadParameter"},
    "StagedUploadParameter": {"name": "", "value": ""},
    "BulkOperation": dict.fromkeys(
        ("id", "status", "errorCode", "objectCount", "fileSize", "url", "partialDataUrl", "createdAt", "completedAt"),
        "",
    ),
    "Coded": {"code": "", "field": "", "message": ""},
    "Error": {"field": "", "message": ""},
}
"""Type -> its fields -> their type, empty for a leaf. `Error` is a userErrors without code."""

INPUTS: dict[str, dict[str, Any]] = {
    "ProductSetInput": {
        **dict.fromkeys(("title", "descriptionHtml", "vendor", "productType", "status", "handle"), str),
        "files": ["FileSetInput"],
        "metafields": ["MetafieldInput"],
        "productOptions": ["OptionSetInput"],
        "variants": ["ProductVariantSetInput"],
    },
    "FileSetInput": {"originalSource": str, "alt": str, "contentType": str},
    "MetafieldInput": {"namespace": str, "key": str, "type": str, "value": str},
    "OptionSetInput": {"name": str, "position": int, "values": ["OptionValueSetInput"]},
    "OptionValueSetInput": {"name": str},
    "ProductVariantSetInput": {
        **dict.fromkeys(("id", "sku", "barcode", "price", "inventoryPolicy"), str),
        "optionValues": ["VariantOptionValueInput"],
        "inventoryItem": "InventoryItemInput",
        "inventoryQuantities": ["ProductSetInventoryInput"],
    },
    "VariantOptionValueInput": {"optionName": str, "name": str},
    "InventoryItemInput": {"tracked": bool},
    "ProductSetInventoryInput": {"locationId": str, "name": str, "quantity": int},
}
"""Input type -> its fields -> a leaf's Python type, an input type's name, or a list of one."""
